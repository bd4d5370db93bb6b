-- Runs the checks of a description that are code: validators of fields, and checks of records.
local schema, config, tell = ...

local function walk(definition, value, path, found)
  if type(definition) ~= "table" then return end
  if value ~= nil and type(definition.custom_validator) == "function" then
    local ok, fault = definition.custom_validator(value)
    if not ok then found[#found + 1] = path .. ": " .. tostring(fault or "invalid value") end
  end
  if type(value) ~= "table" then return end
  for _, item in ipairs(definition.fields or {}) do
    local name, inner = next(item)
    walk(inner, value[name], path == "" and name or path .. "." .. name, found)
  end
  if definition.elements then
    for at, one in ipairs(value) do walk(definition.elements, one, path .. "[" .. at .. "]", found) end
  end
  if definition.values then
    for name, one in pairs(value) do walk(definition.values, one, path .. "." .. tostring(name), found) end
  end
  for _, check in ipairs(definition.entity_checks or {}) do
    local custom = check.custom_entity_check
    if type(custom) == "table" and type(custom.fn) == "function" then
      local ok, fault = custom.fn(value)
      if not ok then found[#found + 1] = tostring(fault or "check failed") end
    end
  end
end

local found = {}
for _, item in ipairs(schema.fields or {}) do
  if item.config then walk(item.config, config, "", found) end
end
for _, check in ipairs(schema.entity_checks or {}) do
  local custom = check.custom_entity_check
  if type(custom) == "table" and type(custom.fn) == "function" then
    local ok, fault = custom.fn({ name = schema.name, config = config })
    if not ok then found[#found + 1] = tostring(fault or "check failed") end
  end
end
tell(found[1] and table.concat(found, "; ") or nil)
