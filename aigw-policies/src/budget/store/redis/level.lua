-- What keys have left of limits: the arithmetic of bucket.rs, window.rs, rolling.rs and calendar.rs,
-- on the server's time. Whole numbers throughout, below 2^52, where a Lua number is exact; wherever
-- they are sent or kept, they are doubles with their lowest byte first.
--
-- A limit is written as the letter of its kind and what it consists of. What is kept of a key is its
-- limit, written so, its level, and when the key expires.
--
-- A level is the place of its key, each of which is named once, and what is known of it stands in
-- lists by these places: a table for each would cost a server more than all that it does with it. So
-- does the call of a function cost more than what most of them do, which is why some things are
-- written out here. Time does not go on while a script runs, so a level is brought up to it once, when
-- it is read.

local NEVER = -1
local SLOTS = 24
local MOST = 2 ^ 52
local HOUR = 3600000000
local DAY = 24 * HOUR

local abs, floor, ceil, max, min = math.abs, math.floor, math.ceil, math.max, math.min
local pack, unpack_from, find = struct.pack, struct.unpack, string.find
local call, KEYS, ARGV = redis.call, KEYS, ARGV

-- A list with room for each key: to make it longer step by step would cost more than to fill it.
local function list()
  return { unpack(KEYS) }
end

-- Of each level by which limit it is, once it is read, and before that its key; and when what is kept
-- of it expires, if that may be written over.
local limits, expiries = list(), list()
-- Of each what its kind has use for; see there.
local lefts, ats, sinces = list(), list(), list()
local starts, ends, uses, newests, slots = {}, {}, {}, {}, {}
-- True of those that are to be kept.
local changed = list()

-- Makes what is done with each kind of level, by its letter: a server runs all of this anew for each
-- call, and most calls need one kind. `size` is how many bytes a level has with its expiry,
-- and `least` how many its limit has at least.
local makers = {}

-- Answers until when a claim does not fit, or else nothing and what `take` answers.
local function claim_by(rules)
  local fit, take = rules.fit, rules.take
  function rules.claim(level, limit, amount, now)
    local late = fit(level, limit, now, amount)
    if late then
      return late
    end
    return nil, take(level, limit, amount, now)
  end
end

-- Of a quota, what is used beyond what was taken is used where that was taken; and it is not lowered.
local function as_quotas(rules)
  claim_by(rules)

  function rules.lower() end

  function rules.extend(level, limit, more, from, taken)
    rules.settle(level, limit, from, taken, taken + more)
  end
end

-- A rate: it fills all the time, up to its amount, and may be overdrawn.
--
-- left: in parts; at: when it was looked at; since: when it was last full.
function makers.b()
  local bucket = { size = 4 * 8, least = 1 + 4 * 8 }

  function bucket.limit(written)
    local amount, inflow, parts, debt = unpack_from('<dddd', written, 2)
    local full, lowest = amount * parts, -debt * parts
    return { amount = amount, inflow = inflow, parts = parts, full = full, lowest = lowest }
  end

  function bucket.untouched(level, limit, now)
    lefts[level], ats[level], sinces[level] = limit.full, now, now
  end

  function bucket.read(level, limit, kept, from, now)
    local left, at, since, expires = unpack_from('<dddd', kept, from)
    if now > at then
      left = left + (now - at) * limit.inflow
      at = now
    end
    local full = limit.full
    if left >= full then
      left, since = full, at
    end
    lefts[level], ats[level], sinces[level], expiries[level] = left, at, since, expires
  end

  function bucket.kept(level, limit, now)
    local left, at, inflow = lefts[level], ats[level], limit.inflow
    local lacking = limit.full - left
    local lasts = (lacking + -lacking % inflow) / inflow
    if at > now then
      lasts = lasts + at - now
    end
    return lasts, pack('<ddd', left, at, sinces[level])
  end

  function bucket.change(level, before, limit)
    local left = lefts[level]
    if before.parts ~= limit.parts then
      local whole = floor(left / before.parts)
      local part = left - whole * before.parts
      left = whole * limit.parts + floor(part * limit.parts / before.parts)
    end
    bucket.set(level, limit, left)
  end

  -- Whatever fills it, it is full since then.
  function bucket.set(level, limit, left)
    if left >= limit.full then
      left, sinces[level] = limit.full, ats[level]
    end
    lefts[level] = left
  end

  function bucket.fit(level, limit, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    local lacking = amount * limit.parts - lefts[level]
    if lacking > 0 then
      return max(ats[level] - now, 0) + ceil(lacking / limit.inflow)
    end
  end

  -- At once, for most calls claim of one rate alone.
  function bucket.claim(level, limit, amount, now)
    local parts, inflow = limit.parts, limit.inflow
    local left = lefts[level] - amount * parts
    if left < 0 then
      return bucket.fit(level, limit, now, amount)
    end
    lefts[level] = left
    local lacking = limit.full - left
    return nil, ats[level], (left - left % parts) / parts, (lacking + -lacking % inflow) / inflow
  end

  -- Answers what `left` does as well.
  function bucket.take(level, limit, amount)
    local parts, inflow = limit.parts, limit.inflow
    local left = lefts[level] - amount * parts
    if left < -MOST then
      left = -MOST
    end
    lefts[level] = left
    local lacking = limit.full - left
    local remaining = left > 0 and (left - left % parts) / parts or 0
    return ats[level], remaining, (lacking + -lacking % inflow) / inflow
  end

  bucket.extend = bucket.take

  function bucket.lower(level, limit, most)
    lefts[level] = min(lefts[level], most * limit.parts)
  end

  function bucket.settle(level, limit, from, taken, used)
    if from < sinces[level] and taken > used then
      taken = used
    end
    local before, lowest = lefts[level], limit.lowest
    local left = before + (taken - used) * limit.parts
    -- A debt of before a change of the limit is not deepened, but neither is it forgiven.
    if left < lowest and left < before then
      left = before < lowest and before or lowest
    end
    bucket.set(level, limit, left)
  end

  function bucket.left(level, limit, now)
    local left, parts = lefts[level], limit.parts
    local remaining = left > 0 and (left - left % parts) / parts or 0
    local lacking, inflow = limit.full - left, limit.inflow
    return remaining, (lacking + -lacking % inflow) / inflow
  end
  return bucket
end

-- A quota whose periods follow the calendar.
--
-- start, end: of the period; since: what was taken from then on is part of what is used.
function makers.w()
  local window = { size = 5 * 8, least = 1 + 8 }

  function window.limit(written)
    return { amount = unpack_from('<d', written, 2), period = written:sub(10) }
  end

  -- Days since 1970 on which a month begins; see calendar.rs.
  local function first_day(year, month)
    if month > 2 then
      month = month - 3
    else
      year, month = year - 1, month + 9
    end
    local days = year * 365 + floor(year / 4) - floor(year / 100) + floor(year / 400)
    return days + floor((153 * month + 2) / 5) - 719468
  end

  local function year_and_month(day)
    local days = day + 719468
    local era = floor(days / 146097)
    local of_era = days - era * 146097
    local years = of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)
    local year = floor(years / 365)
    local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
    local month = floor((5 * of_year + 2) / 153)
    year = year + era * 400
    if month < 10 then
      return year, month + 3
    end
    return year + 1, month - 9
  end

  local bounds = {}

  function bounds.hour(now)
    local starts = floor(now / HOUR) * HOUR
    return starts, starts + HOUR
  end

  function bounds.day(now)
    local starts = floor(now / DAY) * DAY
    return starts, starts + DAY
  end

  function bounds.week(now)
    local monday = floor((floor(now / DAY) + 3) / 7) * 7
    return max(monday - 3, 0) * DAY, (monday + 4) * DAY
  end

  function bounds.month(now)
    local year, month = year_and_month(floor(now / DAY))
    local starts = first_day(year, month) * DAY
    if month == 12 then
      year, month = year + 1, 0
    end
    return starts, first_day(year, month + 1) * DAY
  end

  function bounds.year(now)
    local year = year_and_month(floor(now / DAY))
    return first_day(year, 1) * DAY, first_day(year + 1, 1) * DAY
  end

  local function begin(level, limit, now)
    starts[level], ends[level] = bounds[limit.period](now)
  end

  function window.untouched(level, limit, now)
    begin(level, limit, now)
    sinces[level], uses[level] = starts[level], 0
  end

  function window.read(level, limit, kept, from, now)
    starts[level], ends[level], sinces[level], uses[level], expiries[level] =
      unpack_from('<ddddd', kept, from)
    if now >= ends[level] then
      window.untouched(level, limit, now)
    end
  end

  function window.kept(level, limit, now)
    local kept = pack('<dddd', starts[level], ends[level], sinces[level], uses[level])
    return max(ends[level] - now, 0), kept
  end

  function window.change(level, before, limit, now)
    begin(level, limit, now)
    sinces[level] = min(sinces[level], starts[level])
  end

  function window.fit(level, limit, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    if uses[level] + amount > limit.amount then
      return max(ends[level] - now, 0)
    end
  end

  function window.take(level, limit, amount, now)
    uses[level] = min(uses[level] + amount, MOST)
    return starts[level], window.left(level, limit, now)
  end

  function window.settle(level, limit, from, taken, used)
    if from >= sinces[level] then
      uses[level] = min(max(uses[level] - taken, 0) + used, MOST)
    end
  end

  function window.left(level, limit, now)
    return max(limit.amount - uses[level], 0), max(ends[level] - now, 0)
  end

  as_quotas(window)
  return window
end

-- A quota for the period that ends now, in parts of it.
--
-- newest: the number of the newest slot; since: slots before were of another width; slots: what was
-- used in each, in a place that it keeps.
function makers.r()
  local rolling = { size = (3 + SLOTS) * 8, least = 1 + 2 * 8 }
  local FORM = '<' .. ('d'):rep(2 + SLOTS)

  function rolling.limit(written)
    local amount, width = unpack_from('<dd', written, 2)
    return { amount = amount, width = width }
  end

  function rolling.untouched(level, limit, now)
    newests[level], sinces[level] = floor(now / limit.width), 0
    local used = {}
    for place = 1, SLOTS do
      used[place] = 0
    end
    slots[level] = used
  end

  local function set(level, newest, since, ...)
    newests[level], sinces[level], slots[level] = newest, since, { ... }
  end

  function rolling.read(level, limit, kept, from, now)
    set(level, unpack_from(FORM, kept, from))
    -- Behind the slots stands where the reading ended.
    expiries[level] = unpack_from('<d', kept, slots[level][SLOTS + 1])
    slots[level][SLOTS + 1] = nil
    local newest, slot = newests[level], floor(now / limit.width)
    for step = 0, min(slot - newest, SLOTS) - 1 do
      slots[level][(slot - step) % SLOTS + 1] = 0
    end
    newests[level] = max(newest, slot)
  end

  function rolling.kept(level, limit, now)
    local lasts = rolling.lasts(level, limit, now)
    return lasts, pack(FORM, newests[level], sinces[level], unpack(slots[level]))
  end

  local function total(level)
    local used = 0
    for place = 1, SLOTS do
      used = used + slots[level][place]
    end
    return used
  end

  local function forgotten_in(limit, slot, now)
    return max((slot + SLOTS) * limit.width - now, 0)
  end

  function rolling.change(level, before, limit, now)
    if before.width ~= limit.width then
      local used = total(level)
      rolling.untouched(level, limit, now)
      sinces[level] = newests[level]
      slots[level][newests[level] % SLOTS + 1] = used
    end
  end

  function rolling.fit(level, limit, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    local used = total(level)
    if used + amount <= limit.amount then
      return nil
    end
    for slot = newests[level] + 1 - SLOTS, newests[level] do
      used = used - slots[level][slot % SLOTS + 1]
      if used + amount <= limit.amount then
        return forgotten_in(limit, slot, now)
      end
    end
  end

  function rolling.take(level, limit, amount, now)
    local used, place = slots[level], newests[level] % SLOTS + 1
    used[place] = min(used[place] + amount, MOST)
    return newests[level] * limit.width, rolling.left(level, limit, now)
  end

  function rolling.settle(level, limit, from, taken, used)
    local newest = newests[level]
    local slot = max(floor(from / limit.width), sinces[level])
    if slot <= newest and newest - slot < SLOTS then
      local all, place = slots[level], slot % SLOTS + 1
      all[place] = min(max(all[place] - taken, 0) + used, MOST)
    end
  end

  function rolling.left(level, limit, now)
    return max(limit.amount - total(level), 0), rolling.lasts(level, limit, now)
  end

  function rolling.lasts(level, limit, now)
    for slot = newests[level], newests[level] + 1 - SLOTS, -1 do
      if slots[level][slot % SLOTS + 1] > 0 then
        return forgotten_in(limit, slot, now)
      end
    end
    return 0
  end

  as_quotas(rolling)
  return rolling
end

local made = {}

local function rules_of(kind)
  local rules = made[kind]
  if not rules then
    rules = makers[kind]()
    made[kind] = rules
  end
  return rules
end

-- Limits by how they are written: one that is written alike is the same.
local written_so = {}

local function limit_of(written)
  local limit = written_so[written]
  if not limit then
    local rules = rules_of(written:sub(1, 1))
    limit = rules.limit(written)
    limit.rules, limit.written = rules, written
    -- Where the level begins behind it, counted from zero, and how long both are.
    limit.offset, limit.length = #written, #written + rules.size
    -- As a command takes it: for a server it is dear to write a number.
    limit.behind = ('%d'):format(#written)
    written_so[written] = limit
  end
  return limit
end

-- By which limit this is kept. Nothing, if none of ours has written it.
local function limit_in(kept)
  local kind = kept:sub(1, 1)
  if makers[kind] then
    local rules = rules_of(kind)
    local offset = #kept - rules.size
    if offset >= rules.least then
      return limit_of(kept:sub(1, offset))
    end
  end
end

-- Reads a level of which this is kept, unless it is read. Most likely it is by this limit. Answers
-- by which it is; nothing, if there is none.
local function read(level, kept, limit, now)
  local known = limits[level]
  if known ~= KEYS[level] then
    return known
  end
  if not kept then
    return nil
  end
  if #kept ~= limit.length or find(kept, limit.written, 1, true) ~= 1 then
    limit = limit_in(kept)
    if not limit then
      return nil
    end
  end
  limits[level] = limit
  limit.rules.read(level, limit, kept, limit.offset + 1, now)
  return limit
end

local function untouched(level, limit, now)
  limits[level], expiries[level] = limit, nil
  limit.rules.untouched(level, limit, now)
end

-- A level that was by this limit before, or by none, is by another one from now on, whether anything
-- is taken or not.
local function set_limit(level, before, limit, now)
  if not before then
    return untouched(level, limit, now)
  end
  if before.rules == limit.rules then
    limit.rules.change(level, before, limit, now)
    -- It is written anew, for it may be longer.
    limits[level], expiries[level] = limit, nil
  else
    untouched(level, limit, now)
  end
  changed[level] = true
end

-- A level is kept until the whole limit is there again: without it, it is as well. And for as long
-- again, up to an hour, so that it can be written over the next time, which costs less than to set it.
local function keep(level, now)
  local limit, expires = limits[level], expiries[level]
  local lasts, kept = limit.rules.kept(level, limit, now)
  if lasts <= 0 then
    call('DEL', KEYS[level])
  elseif expires and now + lasts <= expires then
    call('SETRANGE', KEYS[level], limit.behind, kept)
  else
    expires = now + lasts + min(lasts, HOUR)
    kept = limit.written .. kept .. pack('<d', expires)
    if ARGV[1] == '' then
      -- A second more, for while a script runs nothing expires.
      call('SET', KEYS[level], kept, 'PX', ceil((expires - now) / 1000) + 1000)
    else
      -- Where a test names the time, the server's own must not end it.
      call('SET', KEYS[level], kept)
    end
  end
end
