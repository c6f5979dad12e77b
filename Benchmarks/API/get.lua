-- GET of a path, as the next person in turn of those from one number to another.
local people, next_person, path = {}, 0, ""

function init(arguments)
  path = arguments[2]
  local number, first, last = 0, tonumber(arguments[3]), tonumber(arguments[4])
  for token in io.lines(arguments[1]) do
    number = number + 1
    if number >= first and number <= last then people[#people + 1] = token end
  end
end

function request()
  next_person = next_person % #people + 1
  return wrk.format("GET", path, { ["Authorization"] = "Bearer " .. people[next_person] })
end
