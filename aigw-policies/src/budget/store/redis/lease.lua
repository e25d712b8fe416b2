-- Renews leases, and gives others back: both can be done twice.
--
-- KEYS: the leases of a key, once for each. ARGV: the time, or nothing; for how long a lease is held,
-- in milliseconds; then for each what is to be done, and whose it is.

local now = clock(ARGV[1])
local lease = tonumber(ARGV[2])

for index, key in ipairs(KEYS) do
  local place = 1 + index * 2
  if ARGV[place] == 'renew' then
    redis.call('ZADD', key, now + lease, ARGV[place + 1])
    redis.call('PEXPIRE', key, lease)
  else
    redis.call('ZREM', key, ARGV[place + 1])
  end
end
return 1
