-- What no plugin should do. A test holds the node to going on.
local Runaway = { PRIORITY = 1, VERSION = "1" }

local ways = {}

function ways.loop()
  while true do end
end

function ways.caught()
  while true do
    pcall(function() while true do end end)
  end
end

function ways.tables()
  local all = {}
  while true do all[#all + 1] = { {}, {}, {} } end
end

function ways.text()
  local text = "x"
  while true do text = text .. text end
end

function ways.depth()
  return 1 + ways.depth()
end

function ways.waits()
  while true do ngx.sleep(0) end
end

function Runaway:access(conf)
  ways[conf.with]()
end

return Runaway
