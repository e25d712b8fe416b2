-- Corrects what was taken before, once however often it is sent; then decides over calls, in their
-- order: each takes all that it claims, or nothing.
--
-- KEYS: who sends, then each key once that anything is said of; they are named by their places.
-- ARGV: the time, or nothing; numbers; and each limit once, named likewise. The numbers are that of
-- this batch of corrections; how long it is remembered, in milliseconds; how many corrections there
-- are; for each what is to be done with which key, by which limit, whence it was taken, how much, and
-- how much was used; then for each claim by which limit, below zero if its call claims more, of which
-- key, and how much.
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

-- Limits by the places by which they are named.
local named = {}

local function limit_at(place)
  local limit = limit_of(ARGV[2 + place])
  named[place] = limit
  return limit
end

local is_new = corrections > 0 and tonumber(kept[1] or 0) < batch
for _ = 1, corrections do
  local what, level, limit, from, taken, used
  what, level, limit, from, taken, used, next = unpack_from('<dddddd', numbers, next)
  if is_new then
    limit = named[limit] or limit_at(limit)
    local rules = limit.rules
    -- By the limit that the level has now, whatever it was when something was taken.
    local now_by = read(level, kept[level], limit, now)
    -- A key without a level has its whole limit: there is nothing to give back.
    if not now_by and (used > taken or what == LOWER) then
      untouched(level, limit, now)
      now_by = limit
    end
    if now_by and now_by.rules == rules then
      if what == LOWER then
        rules.lower(level, now_by, used)
      elseif what == EXTEND then
        rules.extend(level, now_by, used - taken, from, taken)
      else
        rules.settle(level, now_by, from, taken, used)
      end
      changed[level] = true
    end
  end
end
if is_new then
  call('SET', KEYS[1], ('%d'):format(batch), 'PX', remembered)
end

-- Makes a level that of this limit.
local function bring(level, limit)
  local before = read(level, kept[level], limit, now)
  if before ~= limit then
    set_limit(level, before, limit, now)
  end
end

local answers, said = {}, 0

-- Decides over a call that claims of several levels, of which this is the first.
local function decide_all(limit, level, amount)
  local claimed, amounts = {}, {}
  local claims, worst, wait = 0, nil, nil
  local claims_more = true
  while true do
    if limits[level] ~= limit then
      bring(level, limit)
    end
    local sum = amount
    -- A key that stands twice has one level.
    for earlier = 1, claims do
      if claimed[earlier] == level then
        sum = sum + amounts[earlier]
      end
    end
    claims = claims + 1
    claimed[claims], amounts[claims] = level, amount
    local late = limit.rules.fit(level, limit, now, sum)
    if late and not (worst and (wait == NEVER or (late ~= NEVER and late <= wait))) then
      worst, wait = claims, late
    end
    if not claims_more then
      break
    end
    local place
    place, level, amount, next = unpack_from('<ddd', numbers, next)
    claims_more = place < 0
    place = abs(place)
    limit = named[place] or limit_at(place)
  end
  if worst then
    level = claimed[worst]
    limit = limits[level]
    said = said + 1
    answers[said] = pack('<dddd', -worst, wait, limit.rules.left(level, limit, now))
    return
  end
  for claim = 1, claims do
    level = claimed[claim]
    limit = limits[level]
    said = said + 1
    answers[said] = pack('<ddd', limit.rules.take(level, limit, amounts[claim], now))
    changed[level] = true
  end
end

local size = #numbers
while next <= size do
  local place, level, amount
  place, level, amount, next = unpack_from('<ddd', numbers, next)
  if place < 0 then
    decide_all(named[-place] or limit_at(-place), level, amount)
  else
    -- Most calls claim of one level.
    local limit = named[place] or limit_at(place)
    if limits[level] ~= limit then
      bring(level, limit)
    end
    said = said + 1
    local late, from, remaining, lasts = limit.rules.claim(level, limit, amount, now)
    if late then
      answers[said] = pack('<dddd', -1, late, limit.rules.left(level, limit, now))
    else
      answers[said] = pack('<ddd', from, remaining, lasts)
      changed[level] = true
    end
  end
end

for level = 2, #KEYS do
  if changed[level] == true then
    keep(level, now)
  end
end
return table.concat(answers)
