-- Takes a lease of a key, if fewer than so many are held.
--
-- KEYS: the leases, by the time until which each is held. ARGV: the time, or nothing; for how long a
-- lease is held, in milliseconds; how many there may be; whose it is; then those that are given back,
-- which Redis may not know yet. Answers 1, or 0 where there are as many.

local now = clock(ARGV[1])
local lease = tonumber(ARGV[2])

for index = 5, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[index])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + lease, ARGV[4])
redis.call('PEXPIRE', KEYS[1], lease)
return 1
