-- Milliseconds since 1970. A test names the time.
local function clock(named)
  if named ~= '' then
    return tonumber(named)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

