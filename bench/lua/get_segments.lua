-- Pages of a flow whose segments last one second each, from random places.
-- Arguments: path, number of segments, segments per page, further query.
require("report")
local pages = {}

function init(arguments)
  local path, segments, page, query = arguments[1], tonumber(arguments[2]), tonumber(arguments[3]), arguments[4]
  math.randomseed(20261121)
  for i = 1, 20000 do
    local from = math.random(0, segments - page)
    pages[i] = wrk.format("GET", string.format("%s?timerange=[%d:0_%d:0)&limit=%d%s",
                                               path, from, from + page, page, query or ""))
  end
end

local turn = 0
function request()
  turn = turn % #pages + 1
  return pages[turn]
end
