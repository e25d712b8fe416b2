-- What keys have left of limits: the arithmetic of bucket.rs, window.rs, rolling.rs and calendar.rs,
-- on the server's time. Whole numbers throughout, below 2^52, where a Lua number is exact.

local NEVER = -1
local SLOTS = 24
local MOST = 2 ^ 52
local HOUR = 3600000000
local DAY = 24 * HOUR

local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min

-- Microseconds since 1970. A test names the time.
local function clock(named)
  if named ~= '' then
    return tonumber(named)
  end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- Makes what is done with each kind of level, by the letter that it is stored with: a server runs all
-- of this anew for each call, and most calls need one kind.
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
  local bucket = {}

  function bucket.limit(amount, inflow, parts, debt)
    return { rules = bucket, amount = amount, inflow = inflow, parts = parts, debt = debt }
  end

  function bucket.untouched(limit, now)
    return { left = limit.amount * limit.parts, at = now, since = now }
  end

  function bucket.read(amount, inflow, parts, debt, left, at, since)
    return bucket.limit(amount, inflow, parts, debt), { left = left, at = at, since = since }
  end

  function bucket.write(limit, level)
    return cmsgpack.pack(
      'b', limit.amount, limit.inflow, limit.parts, limit.debt, level.left, level.at, level.since
    )
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

  function bucket.remaining(limit, level)
    return floor(max(level.left, 0) / limit.parts)
  end

  function bucket.reset(limit, level)
    return ceil((limit.amount * limit.parts - level.left) / limit.inflow)
  end

  function bucket.lasts(limit, level, now)
    return max(level.at - now, 0) + bucket.reset(limit, level)
  end
  return bucket
end

-- A quota whose periods follow the calendar.
--
-- starts, ends: of the period; since: what was taken from then on is part of what is used.
function makers.w()
  local window = {}

  function window.limit(amount, period)
    return { rules = window, amount = amount, period = period }
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

  function window.untouched(limit, now)
    local starts, ends = bounds[limit.period](now)
    return { starts = starts, ends = ends, since = starts, used = 0 }
  end

  function window.read(amount, period, starts, ends, since, used)
    local level = { starts = starts, ends = ends, since = since, used = used }
    return window.limit(amount, period), level
  end

  function window.write(limit, level)
    return cmsgpack.pack(
      'w', limit.amount, limit.period, level.starts, level.ends, level.since, level.used
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

  function window.remaining(limit, level)
    return max(limit.amount - level.used, 0)
  end

  function window.reset(limit, level, now)
    return max(level.ends - now, 0)
  end

  window.lasts = window.reset

  as_quotas(window)
  return window
end

-- A quota for the period that ends now, in parts of it.
--
-- newest: the number of the newest slot; since: slots before were of another width; [place]: what
-- was used in the slot.
function makers.r()
  local rolling = {}

  function rolling.limit(amount, width)
    return { rules = rolling, amount = amount, width = width }
  end

  function rolling.untouched(limit, now)
    local level = { newest = floor(now / limit.width), since = 0 }
    for place = 1, SLOTS do
      level[place] = 0
    end
    return level
  end

  function rolling.read(amount, width, newest, since, ...)
    local level = { ... }
    level.newest, level.since = newest, since
    return rolling.limit(amount, width), level
  end

  function rolling.write(limit, level)
    return cmsgpack.pack(
      'r', limit.amount, limit.width, level.newest, level.since, unpack(level, 1, SLOTS)
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
      local new = rolling.untouched(limit, now)
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

  function rolling.remaining(limit, level)
    return max(limit.amount - total(level), 0)
  end

  function rolling.reset(limit, level, now)
    for slot = level.newest, level.newest + 1 - SLOTS, -1 do
      if level[slot % SLOTS + 1] > 0 then
        return forgotten_in(limit, slot, now)
      end
    end
    return 0
  end

  rolling.lasts = rolling.reset

  as_quotas(rolling)
  return rolling
end

local made = {}

local function rules_of(kind)
  if not made[kind] then
    made[kind] = makers[kind]()
  end
  return made[kind]
end

-- The limit that stands in the arguments from this one on.
local function limit_at(place)
  local rules = rules_of(ARGV[place])
  if ARGV[place] == 'w' then
    return rules.limit(tonumber(ARGV[place + 1]), ARGV[place + 2])
  end
  return rules.limit(
    tonumber(ARGV[place + 1]),
    tonumber(ARGV[place + 2]),
    tonumber(ARGV[place + 3]),
    tonumber(ARGV[place + 4])
  )
end

local function same(one, other)
  return one.amount == other.amount
    and one.inflow == other.inflow
    and one.parts == other.parts
    and one.debt == other.debt
    and one.period == other.period
    and one.width == other.width
end

-- What is stored of a key as of now, with the limit that it was stored with; nil if nothing is.
local function stored(key, now)
  local raw = redis.call('GET', key)
  if not raw then
    return nil
  end
  local function read(kind, ...)
    return rules_of(kind).read(...)
  end
  local limit, level = read(cmsgpack.unpack(raw))
  limit.rules.advance(limit, level, now)
  return limit, level
end

-- The level of a key whose limit is this one from now on.
local function level_of(key, limit, now)
  local before, level = stored(key, now)
  if not before or before.rules ~= limit.rules then
    return limit.rules.untouched(limit, now)
  end
  if not same(before, limit) then
    limit.rules.change(before, limit, level, now)
    limit.rules.advance(limit, level, now)
  end
  return level
end

-- A level is kept until the whole limit is there again: without it, it is as well.
local function keep(key, limit, level, now)
  local lasts = limit.rules.lasts(limit, level, now)
  if lasts <= 0 then
    redis.call('DEL', key)
  elseif ARGV[1] == '' then
    redis.call('SET', key, limit.rules.write(limit, level), 'PX', ceil(lasts / 1000))
  else
    -- Where a test names the time, the server's own must not end it.
    redis.call('SET', key, limit.rules.write(limit, level))
  end
end
