local typedefs = require "kong.db.schema.typedefs"

-- The description is put together by code, as some are.
local function word(default)
  return { type = "string", len_min = 1, default = default }
end

local fields = {}
for name, default in pairs({ mask = "***", pattern = [[\w+@\w+\.\w+]] }) do
  fields[#fields + 1] = { [name] = word(default) }
end

return {
  name = "body-mask",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = fields } },
  },
}
