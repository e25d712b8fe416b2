-- Says that a process lives, or no longer does, and counts those that do.
--
-- KEYS: the processes, by the time until which each is known to live. ARGV: the process, and for
-- how long, in milliseconds; 0 for one that ends. Answers how many live, and whether this one was
-- not among them.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local added = 0
if lease > 0 then
  added = redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], lease)
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return { redis.call('ZCARD', KEYS[1]), added }
