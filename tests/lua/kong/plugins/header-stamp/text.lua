local concat = table.concat

local _M = {}

function _M.stamp(conf, route)
  local parts = { conf.value }
  for _, tag in ipairs(conf.tags) do
    parts[#parts + 1] = tag
  end
  parts[#parts + 1] = route and route.name
  return concat(parts, ";")
end

return _M
