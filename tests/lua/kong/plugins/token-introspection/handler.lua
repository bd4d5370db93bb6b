local http = require "resty.http"
local cjson = require "cjson.safe"
local sha256 = require "resty.sha256"
local str = require "resty.string"

local fmt = string.format

local TokenIntrospection = {
  PRIORITY = 1010,
  VERSION = "1.0.0",
}

local function introspect(conf, token)
  local client = http.new()
  client:set_timeout(conf.timeout)
  local res, err = client:request_uri(conf.endpoint, {
    method = "POST",
    body = ngx.encode_args({ token = token }),
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
  })
  if not res then
    return nil, fmt("the endpoint cannot be reached: %s", err)
  end
  local body = cjson.decode(res.body)
  if res.status ~= 200 or type(body) ~= "table" then
    return nil, fmt("the endpoint answered %d", res.status)
  end
  return { active = body.active == true, sub = body.sub }
end

local function key_of(token)
  local digest = sha256:new()
  digest:update(token)
  return "introspection:" .. str.to_hex(digest:final())
end

function TokenIntrospection:access(conf)
  local token = (kong.request.get_header("authorization") or ""):match("^[Bb]earer%s+(%S+)$")
  if not token then
    return kong.response.exit(401, { message = "No token" }, { ["WWW-Authenticate"] = "Bearer" })
  end
  local found, err = kong.cache:get(key_of(token), { ttl = conf.ttl }, introspect, conf, token)
  if err then
    kong.log.err(err)
    return kong.response.exit(502, { message = "Token cannot be checked" })
  end
  if not found.active then
    return kong.response.exit(401, { message = "Token is not active" })
  end
  kong.service.request.set_header("X-Subject", found.sub)
  if conf.hide_credentials then
    kong.service.request.clear_header("Authorization")
  end
end

return TokenIntrospection
