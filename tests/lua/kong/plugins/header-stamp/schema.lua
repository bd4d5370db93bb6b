local typedefs = require "kong.db.schema.typedefs"

local PLUGIN_NAME = "header-stamp"

return {
  name = PLUGIN_NAME,
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = {
        type = "record",
        fields = {
          { request_header = typedefs.header_name { required = true, default = "X-Stamp" } },
          { response_header = typedefs.header_name { required = true, default = "X-Stamped" } },
          { value = { type = "string", required = true, referenceable = true } },
          { tags = { type = "array", default = {}, elements = { type = "string", match = "^%w+$" } } },
        },
        entity_checks = {
          { custom_entity_check = {
              field_sources = { "request_header", "response_header" },
              fn = function(entity)
                if entity.request_header == entity.response_header then
                  return nil, "request_header and response_header must differ"
                end
                return true
              end,
          } },
        },
    } },
  },
}
