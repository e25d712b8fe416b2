-- Says that a process lives, or no longer does, and counts those that do.
--
-- KEYS: the processes, by the time until which each is known to live; and since when Redis has known
-- what it knows. ARGV: the process; for how long it lives, in milliseconds, 0 for one that ends; and
-- how long the second key is kept. Answers how many live, and the second key.

local now = clock('')
local lease = tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if lease > 0 then
  redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], lease)
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
local since = tonumber(redis.call('GET', KEYS[2]) or now)
redis.call('SET', KEYS[2], string.format('%d', since), 'PX', ARGV[3])
return { redis.call('ZCARD', KEYS[1]), since }
