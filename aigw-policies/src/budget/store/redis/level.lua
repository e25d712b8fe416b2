-- What keys have left of limits: the arithmetic of bucket.rs, window.rs, rolling.rs and calendar.rs,
-- on the server's time. Whole numbers throughout, below 2^52, where a Lua number is exact; wherever
-- they are sent or kept, they are doubles with their lowest byte first.
--
-- A limit is written as the letter of its kind and what it consists of. What is kept of a key is its
-- limit, written so, its level, and when the key expires.

local NEVER = -1
local SLOTS = 24
local MOST = 2 ^ 52
local HOUR = 3600000000
local DAY = 24 * HOUR

local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local pack, unpack_from = struct.pack, struct.unpack
local call, KEYS, ARGV = redis.call, KEYS, ARGV

-- Makes what is done with each kind of level, by its letter: a server runs all of this anew for each
-- call, and most calls need one kind. `size` is how many bytes a level has with its expiry,
-- and `least` how many its limit has at least.
local makers = {}

-- Of a quota, what is used beyond what was taken is used where that was taken; and it is not lowered.
local function as_quotas(rules)
  function rules.lower() end

  function rules.extend(limit, level, more, from, taken)
    rules.settle(limit, level, from, taken, taken + more)
  end
end

-- A rate: it fills all the time, up to its amount, and may be overdrawn.
--
-- left: in parts; at: when it was looked at; since: when it was last full.
function makers.b()
  local bucket = { size = 4 * 8, least = 1 + 4 * 8 }

  function bucket.limit(written)
    local amount, inflow, parts, debt = unpack_from('<dddd', written, 2)
    return { amount = amount, inflow = inflow, parts = parts, debt = debt }
  end

  function bucket.untouched(key, limit, now)
    return { key = key, limit = limit, left = limit.amount * limit.parts, at = now, since = now }
  end

  function bucket.read(key, limit, kept, from)
    local left, at, since, expires = unpack_from('<dddd', kept, from)
    return { key = key, limit = limit, left = left, at = at, since = since, expires = expires }
  end

  function bucket.write(level)
    return pack('<c0dddd', level.limit.written, level.left, level.at, level.since, level.expires)
  end

  function bucket.advance(limit, level, now)
    if now > level.at then
      level.left = level.left + (now - level.at) * limit.inflow
      level.at = now
    end
    local full = limit.amount * limit.parts
    if level.left >= full then
      level.left = full
      level.since = level.at
    end
  end

  function bucket.change(before, limit, level)
    if before.parts ~= limit.parts then
      local whole = floor(level.left / before.parts)
      local part = level.left - whole * before.parts
      level.left = whole * limit.parts + floor(part * limit.parts / before.parts)
    end
  end

  function bucket.fit(limit, level, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    local lacking = amount * limit.parts - level.left
    if lacking > 0 then
      return max(level.at - now, 0) + ceil(lacking / limit.inflow)
    end
  end

  function bucket.take(limit, level, amount)
    level.left = max(level.left - amount * limit.parts, -MOST)
    return level.at
  end

  bucket.extend = bucket.take

  function bucket.lower(limit, level, most)
    level.left = min(level.left, most * limit.parts)
  end

  function bucket.settle(limit, level, from, taken, used)
    if from < level.since then
      taken = min(taken, used)
    end
    local lowest = min(-limit.debt * limit.parts, level.left)
    local highest = limit.amount * limit.parts
    level.left = min(max(level.left + (taken - used) * limit.parts, lowest), highest)
  end

  -- Without calls of functions, for each decision comes by here twice.
  local function reset(limit, left)
    local lacking = limit.amount * limit.parts - left
    return (lacking + -lacking % limit.inflow) / limit.inflow
  end

  function bucket.left(limit, level)
    local left, parts = level.left, limit.parts
    local remaining = left > 0 and (left - left % parts) / parts or 0
    return remaining, reset(limit, left)
  end

  function bucket.lasts(limit, level, now)
    local late = level.at - now
    return (late > 0 and late or 0) + reset(limit, level.left)
  end
  return bucket
end

-- A quota whose periods follow the calendar.
--
-- starts, ends: of the period; since: what was taken from then on is part of what is used.
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

  function window.untouched(key, limit, now)
    local starts, ends = bounds[limit.period](now)
    return { key = key, limit = limit, starts = starts, ends = ends, since = starts, used = 0 }
  end

  function window.read(key, limit, kept, from)
    local level = { key = key, limit = limit }
    level.starts, level.ends, level.since, level.used, level.expires =
      unpack_from('<ddddd', kept, from)
    return level
  end

  function window.write(level)
    return pack(
      '<c0ddddd', level.limit.written, level.starts, level.ends, level.since, level.used, level.expires
    )
  end

  function window.advance(limit, level, now)
    if now >= level.ends then
      level.starts, level.ends = bounds[limit.period](now)
      level.since, level.used = level.starts, 0
    end
  end

  function window.change(before, limit, level, now)
    level.starts, level.ends = bounds[limit.period](now)
    level.since = min(level.since, level.starts)
  end

  function window.fit(limit, level, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    if level.used + amount > limit.amount then
      return max(level.ends - now, 0)
    end
  end

  function window.take(limit, level, amount)
    level.used = min(level.used + amount, MOST)
    return level.starts
  end

  function window.settle(limit, level, from, taken, used)
    if from >= level.since then
      level.used = min(max(level.used - taken, 0) + used, MOST)
    end
  end

  function window.left(limit, level, now)
    return max(limit.amount - level.used, 0), window.lasts(limit, level, now)
  end

  function window.lasts(limit, level, now)
    return max(level.ends - now, 0)
  end

  as_quotas(window)
  return window
end

-- A quota for the period that ends now, in parts of it.
--
-- newest: the number of the newest slot; since: slots before were of another width; [place]: what
-- was used in the slot.
function makers.r()
  local rolling = { size = (3 + SLOTS) * 8, least = 1 + 2 * 8 }
  local FORM = ('d'):rep(3 + SLOTS)

  function rolling.limit(written)
    local amount, width = unpack_from('<dd', written, 2)
    return { amount = amount, width = width }
  end

  function rolling.untouched(key, limit, now)
    local level = { key = key, limit = limit, newest = floor(now / limit.width), since = 0 }
    for place = 1, SLOTS do
      level[place] = 0
    end
    return level
  end

  local function level_of(key, limit, newest, since, expires, ...)
    local level = { ... }
    level.key, level.limit, level.newest, level.since = key, limit, newest, since
    level.expires = expires
    return level
  end

  function rolling.read(key, limit, kept, from)
    return level_of(key, limit, unpack_from('<' .. FORM, kept, from))
  end

  function rolling.write(level)
    return pack(
      '<c0' .. FORM, level.limit.written, level.newest, level.since, level.expires, unpack(level, 1, SLOTS)
    )
  end

  local function total(level)
    local used = 0
    for place = 1, SLOTS do
      used = used + level[place]
    end
    return used
  end

  local function forgotten_in(limit, slot, now)
    return max((slot + SLOTS) * limit.width - now, 0)
  end

  function rolling.advance(limit, level, now)
    local slot = floor(now / limit.width)
    for step = 0, min(slot - level.newest, SLOTS) - 1 do
      level[(slot - step) % SLOTS + 1] = 0
    end
    level.newest = max(level.newest, slot)
  end

  function rolling.change(before, limit, level, now)
    if before.width ~= limit.width then
      local used = total(level)
      local new = rolling.untouched(level.key, limit, now)
      new.since = new.newest
      new[new.newest % SLOTS + 1] = used
      for name, value in pairs(new) do
        level[name] = value
      end
    end
  end

  function rolling.fit(limit, level, now, amount)
    if amount > limit.amount then
      return NEVER
    end
    local used = total(level)
    if used + amount <= limit.amount then
      return nil
    end
    for slot = level.newest + 1 - SLOTS, level.newest do
      used = used - level[slot % SLOTS + 1]
      if used + amount <= limit.amount then
        return forgotten_in(limit, slot, now)
      end
    end
  end

  function rolling.take(limit, level, amount)
    local place = level.newest % SLOTS + 1
    level[place] = min(level[place] + amount, MOST)
    return level.newest * limit.width
  end

  function rolling.settle(limit, level, from, taken, used)
    local slot = max(floor(from / limit.width), level.since)
    if slot <= level.newest and level.newest - slot < SLOTS then
      local place = slot % SLOTS + 1
      level[place] = min(max(level[place] - taken, 0) + used, MOST)
    end
  end

  function rolling.left(limit, level, now)
    return max(limit.amount - total(level), 0), rolling.lasts(limit, level, now)
  end

  function rolling.lasts(limit, level, now)
    for slot = level.newest, level.newest + 1 - SLOTS, -1 do
      if level[slot % SLOTS + 1] > 0 then
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
local limits = {}

local function limit_of(written)
  local limit = limits[written]
  if not limit then
    local rules = rules_of(written:sub(1, 1))
    limit = rules.limit(written)
    limit.rules, limit.written = rules, written
    limits[written] = limit
  end
  return limit
end

-- Levels by their keys, as of now; and those of them that are to be kept: each once, whoever asks.
local levels, changed = {}, {}

-- By which limit this is kept, and where its level begins. Nothing, if none of ours has written it.
local function read(kept)
  local kind = kept:sub(1, 1)
  if makers[kind] then
    local rules = rules_of(kind)
    local from = #kept - rules.size + 1
    if from > rules.least then
      return limit_of(kept:sub(1, from - 1)), from
    end
  end
end

local function change(level)
  if not level.is_changed then
    level.is_changed = true
    levels[level.key] = level
    changed[#changed + 1] = level
  end
end

-- The level of a key of which this is kept, or nothing. Most likely it is by this limit.
local function level_of(key, kept, limit, now)
  local level = levels[key]
  if not level then
    if not kept then
      return nil
    end
    local from = #limit.written + 1
    if kept:find(limit.written, 1, true) ~= 1 or #kept ~= from - 1 + limit.rules.size then
      limit, from = read(kept)
      if not limit then
        return nil
      end
    end
    level = limit.rules.read(key, limit, kept, from)
    levels[key] = level
  end
  -- Before whatever is done with it: a bucket that was filled just now is full since now.
  level.limit.rules.advance(level.limit, level, now)
  return level
end

-- The level of a key whose limit is this one from now on, whether anything is taken or not.
local function level_by(limit, key, kept, now)
  local level = level_of(key, kept, limit, now)
  if not level then
    return limit.rules.untouched(key, limit, now)
  end
  local before = level.limit
  if before == limit then
    return level
  end
  if before.rules ~= limit.rules then
    level = limit.rules.untouched(key, limit, now)
  else
    limit.rules.change(before, limit, level, now)
    -- It is written anew, for it may be longer.
    level.limit, level.expires = limit, nil
    limit.rules.advance(limit, level, now)
  end
  change(level)
  return level
end

-- A level is kept until the whole limit is there again: without it, it is as well. And for as long
-- again, up to an hour, so that it can be written over the next time, which costs less than to set it.
local function keep(level, now)
  local key, limit = level.key, level.limit
  if levels[key] ~= level then
    return
  end
  local lasts = limit.rules.lasts(limit, level, now)
  if lasts <= 0 then
    call('DEL', key)
    return
  end
  if level.expires and now + lasts <= level.expires then
    call('SETRANGE', key, 0, limit.rules.write(level))
    return
  end
  level.expires = now + lasts + min(lasts, HOUR)
  local kept = limit.rules.write(level)
  if ARGV[1] == '' then
    -- A second more, for while a script runs nothing expires.
    call('SET', key, kept, 'PX', ceil((level.expires - now) / 1000) + 1000)
  else
    -- Where a test names the time, the server's own must not end it.
    call('SET', key, kept)
  end
end
