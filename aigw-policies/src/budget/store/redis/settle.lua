-- Corrects what was taken, once however often it is sent.
--
-- KEYS: who sends, then one for each correction. ARGV: the time, or nothing; the number of this
-- batch; how long a sender is remembered, in milliseconds; then for each correction what is to be
-- done, whence it was taken, how much, how much was used, and the limit in five.

local FIELDS = 9

local batch = tonumber(ARGV[2])
if tonumber(redis.call('GET', KEYS[1]) or 0) >= batch then
  return 0
end
local now = clock(ARGV[1])

for index = 2, #KEYS do
  local key = KEYS[index]
  local place = 4 + (index - 2) * FIELDS
  local what, from = ARGV[place], tonumber(ARGV[place + 1])
  local taken, used = tonumber(ARGV[place + 2]), tonumber(ARGV[place + 3])
  -- By the limit that the level has now, whatever it was when something was taken.
  local limit, level = stored(key, now)
  -- A key without a level has its whole limit: there is nothing to give back.
  if not limit and (used > taken or what == 'lower') then
    limit = limit_at(place + 4)
    level = limit.rules.untouched(limit, now)
  end
  if limit and rules_of(ARGV[place + 4]) == limit.rules then
    if what == 'lower' then
      limit.rules.lower(limit, level, used)
    elseif what == 'extend' then
      limit.rules.extend(limit, level, used - taken, from, taken)
    else
      limit.rules.settle(limit, level, from, taken, used)
    end
    keep(key, limit, level, now)
  end
end

redis.call('SET', KEYS[1], batch, 'PX', ARGV[3])
return 1
