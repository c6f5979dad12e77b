-- POST /v1/sync with one session of ten minutes, of the next person in turn. A device
-- sends what it has earned since the answer that it took over, as the seed left it.
local people, next_person, round = {}, 0, 0
local started = os.time()

function init(arguments)
  for token in io.lines(arguments[1]) do people[#people + 1] = token end
  math.randomseed(started)
  round = tonumber(arguments[2])
end

local function identifier()
  return string.format("%08x-%04x-4%03x-8%03x-%06x%06x", math.random(0, 0x7fffffff), math.random(0, 0xffff),
    math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0xffffff), math.random(0, 0xffffff))
end

function request()
  next_person = next_person + 1
  if next_person > #people then next_person, round = 1, round + 1 end
  local start = started - 660 * (round + 1)
  local body = string.format(
    '{"batchId":"%s","device":{"id":"laptop","name":"laptop","timeZone":"Europe/Berlin"},"epoch":1,"baseVersion":1,' ..
    '"since":1,"sessions":[{"id":"sess-%d","startedAt":"%s","endedAt":"%s","activeMs":600000,"cycles":40,' ..
    '"goalMinutes":10,"goalBonusXP":5}],"state":{"totalXP":{"value":%d}}}',
    identifier(), start, os.date("!%Y-%m-%dT%H:%M:%SZ", start), os.date("!%Y-%m-%dT%H:%M:%SZ", start + 600),
    2250 + 45 * (round + 1))
  return wrk.format("POST", "/v1/sync", { ["Authorization"] = "Bearer " .. people[next_person],
    ["Content-Type"] = "application/json" }, body)
end

function response(status, _, body)
  if status ~= 200 then
    io.stderr:write(status, " ", body, "\n")
    os.exit(1)
  end
end
