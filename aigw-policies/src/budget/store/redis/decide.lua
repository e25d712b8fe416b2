-- Corrects what was taken before, once however often it is sent; then decides over calls, in their
-- order: each takes all that it claims, or nothing.
--
-- KEYS: who sends, then one for each correction, then one for each claim.
-- ARGV: the time, or nothing; numbers; and each limit that they name by its place. The numbers are
-- that of this batch of corrections; how long it is remembered, in milliseconds; how many corrections
-- there are; for each what is to be done, by which limit, whence it was taken, how much, and how much
-- was used; then for each call how many claims it has, and for each by which limit, and how much.
--
-- Answers numbers: for each claim of a call whence it was taken, what is left, and how long until all
-- is there again; or, for a call that is refused, -1 less the place of the claim that decided, how long
-- until it fits, and the same.

local EXTEND, LOWER = 1, 2

-- Microseconds since 1970. A test names the time.
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

local numbers = ARGV[2]
local batch, remembered, corrections, next = unpack_from('<ddd', numbers)
local kept = call('MGET', unpack(KEYS))

local is_new = corrections > 0 and tonumber(kept[1] or 0) < batch
local place = 1
for _ = 1, corrections do
  place = place + 1
  local what, limit, from, taken, used
  what, limit, from, taken, used, next = unpack_from('<ddddd', numbers, next)
  if is_new then
    limit = limit_of(ARGV[2 + limit])
    local key = KEYS[place]
    local level = level_of(key, kept[place], limit, now)
    -- A key without a level has its whole limit: there is nothing to give back.
    if not level and (used > taken or what == LOWER) then
      level = limit.rules.untouched(key, limit, now)
    end
    -- By the limit that the level has now, whatever it was when something was taken.
    if level and level.limit.rules == limit.rules then
      if what == LOWER then
        limit.rules.lower(level.limit, level, used)
      elseif what == EXTEND then
        limit.rules.extend(level.limit, level, used - taken, from, taken)
      else
        limit.rules.settle(level.limit, level, from, taken, used)
      end
      change(level)
    end
  end
end
if is_new then
  call('SET', KEYS[1], ('%d'):format(batch), 'PX', remembered)
end

local answers, said = {}, 0
-- Of the call that is decided: what it claims of which levels.
local amounts, claimed = {}, {}

while next <= #numbers do
  local claims, worst, wait
  claims, next = unpack_from('<d', numbers, next)
  for index = 1, claims do
    local limit, amount
    limit, amount, next = unpack_from('<dd', numbers, next)
    limit = limit_of(ARGV[2 + limit])
    place = place + 1
    local key, level, sum = KEYS[place], nil, amount
    -- A key that stands twice has one level.
    for earlier = 1, index - 1 do
      if claimed[earlier].key == key then
        level, sum = claimed[earlier], sum + amounts[earlier]
      end
    end
    level = level or level_by(limit, key, kept[place], now)
    claimed[index], amounts[index] = level, amount
    limit = level.limit
    local late = limit.rules.fit(limit, level, now, sum)
    if late and not (worst and (wait == NEVER or (late ~= NEVER and late <= wait))) then
      worst, wait = index, late
    end
  end
  if worst then
    local level = claimed[worst]
    local limit = level.limit
    said = said + 1
    answers[said] = pack('<dddd', -worst, wait, limit.rules.left(limit, level, now))
  else
    for index = 1, claims do
      local level = claimed[index]
      local limit = level.limit
      local from = limit.rules.take(limit, level, amounts[index])
      said = said + 1
      answers[said] = pack('<ddd', from, limit.rules.left(limit, level, now))
      change(level)
    end
  end
end

for _, level in ipairs(changed) do
  keep(level, now)
end
return table.concat(answers)
