-- New segments of one second, each with an object of its own, to several flows in turn.
-- Arguments: first second, then the paths.
require("report")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local second, paths

function init(arguments)
  -- Each thread of wrk has a time line of its own.
  second = tonumber(arguments[1]) + number * 10000000
  paths = arguments
end

function request()
  second = second + 1
  local body = string.format(
    '{"object_id":"one/%d.ts","timerange":"[%d:0_%d:0)","sample_count":25,' ..
    '"get_urls":[{"url":"https://media.example/one/%d.ts","label":"cdn"}]}',
    second, second, second + 1, second)
  return wrk.format("POST", paths[2 + second % (#paths - 1)], nil, body)
end
