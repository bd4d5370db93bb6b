local typedefs = require "kong.db.schema.typedefs"

return {
  name = "token-introspection",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = {
        type = "record",
        fields = {
          { endpoint = typedefs.url { required = true } },
          { ttl = { type = "number", default = 30, gt = 0 } },
          { timeout = { type = "integer", default = 2000, between = { 1, 60000 } } },
          { hide_credentials = { type = "boolean", default = false } },
        },
    } },
  },
}
