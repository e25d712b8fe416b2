-- Takes all that is claimed, or nothing.
--
-- KEYS: one for each claim. ARGV: the time, or nothing; then for each claim the amount and its
-- limit in five. Answers 1 and, for each claim, whence it was taken, what is left, and how long
-- until all is there again; or 0, the claim that decided, how long until it fits, and the same.

local FIELDS = 6

local now = clock(ARGV[1])
local claims, asked = {}, {}
local worst, wait

for index, key in ipairs(KEYS) do
  local place = 2 + (index - 1) * FIELDS
  local amount = tonumber(ARGV[place])
  local limit = limit_at(place + 1)
  -- A key that stands twice has one level.
  local earlier = asked[key]
  local level = earlier and earlier.level or level_of(key, limit, now)
  local sum = amount + (earlier and earlier.sum or 0)
  asked[key] = { level = level, sum = sum }
  claims[index] = { key = key, amount = amount, limit = limit, level = level }
  local late = limit.rules.fit(limit, level, now, sum)
  if late and not (worst and (wait == NEVER or (late ~= NEVER and late <= wait))) then
    worst, wait = index, late
  end
end

local function told(claim)
  local limit, level = claim.limit, claim.level
  return limit.rules.remaining(limit, level), limit.rules.reset(limit, level, now)
end

if worst then
  local remaining, reset = told(claims[worst])
  return { 0, worst - 1, wait, remaining, reset }
end

local answer = { 1 }
for _, claim in ipairs(claims) do
  local from = claim.limit.rules.take(claim.limit, claim.level, claim.amount)
  local remaining, reset = told(claim)
  answer[#answer + 1] = from
  answer[#answer + 1] = remaining
  answer[#answer + 1] = reset
  keep(claim.key, claim.limit, claim.level, now)
end
return answer
