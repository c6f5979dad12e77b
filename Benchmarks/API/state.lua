-- GET /v1/sync/state of the next person in turn.
local people, next_person = {}, 0

function init(arguments)
  for token in io.lines(arguments[1]) do people[#people + 1] = token end
end

function request()
  next_person = next_person % #people + 1
  return wrk.format("GET", "/v1/sync/state", { ["Authorization"] = "Bearer " .. people[next_person] })
end

function response(status, _, body)
  if status ~= 200 then
    io.stderr:write(status, " ", body, "\n")
    os.exit(1)
  end
end
