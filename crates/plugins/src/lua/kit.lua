-- The plugin development kit as Lua code sees it: names of the reference over the few functions of
-- the table `gh`, which the node gives. Runs once for each virtual machine.
local gh = ...

local error, type, tostring, tonumber, pairs, ipairs, select = error, type, tostring, tonumber, pairs, ipairs, select
local setmetatable, rawset, rawget, unpack = setmetatable, rawset, rawget, unpack
local raw_pcall, raw_xpcall, yield = pcall, xpcall, coroutine.yield
local lower, gsub, sub, format, find, match = string.lower, string.gsub, string.sub, string.format, string.find, string.match
local concat, sort = table.concat, table.sort

-- What stops code cannot be caught: time that is over, and an answer that was given.
local STOP = setmetatable({}, { __tostring = function() return gh.stop_reason() end, __metatable = false })

local function checked(...)
  if gh.is_stopped() then error(STOP, 0) end
  return ...
end

local function stop()
  error(STOP, 0)
end

local frozen = setmetatable({}, { __mode = "k" })

local function freeze(members, name)
  local proxy = {}
  frozen[proxy] = members
  return setmetatable(proxy, {
    __index = members,
    __newindex = function(_, key) error(name .. "." .. tostring(key) .. " cannot be set", 2) end,
    __metatable = false,
  })
end

local function text(value, what)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" or kind == "boolean" then return tostring(value) end
  error(what .. " must be a string; got " .. kind, 3)
end

local function integer(value, what, least, most)
  if type(value) ~= "number" or value ~= math.floor(value) or value < least or value > most then
    error(format("%s must be a number between %d and %d", what, least, most), 3)
  end
  return value
end

local function phase(...)
  local current = gh.phase()
  for at = 1, select("#", ...) do
    if select(at, ...) == current then return end
  end
  error("function cannot be called in " .. current .. " phase (only in: " .. concat({ ... }, ", ") .. ")", 3)
end

-- Names are compared without regard to case, with `_` for `-`.
local by_name = {
  __index = function(headers, key)
    if type(key) ~= "string" then return nil end
    return rawget(headers, (gsub(lower(key), "_", "-")))
  end,
}

local function grouped(lines, most)
  local headers, count = {}, 0
  for at = 1, #lines, 2 do
    count = count + 1
    if count > (most or 100) then break end
    local name, value = lower(lines[at]), lines[at + 1]
    local known = headers[name]
    if known == nil then headers[name] = value
    elseif type(known) == "table" then known[#known + 1] = value
    else headers[name] = { known, value } end
  end
  return setmetatable(headers, by_name)
end

local function escape(value)
  return (gsub(value, "[^%w%-%._~]", function(c) return format("%%%02X", c:byte()) end))
end

local function unescape(value)
  value = gsub(value, "+", " ")
  return (gsub(value, "%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function decode_args(query, most)
  local args, count = {}, 0
  for pair in string.gmatch(query or "", "[^&]+") do
    count = count + 1
    if count > (most or 100) then break end
    local name, value = match(pair, "^([^=]*)=(.*)$")
    if name == nil then name, value = unescape(pair), true else name, value = unescape(name), unescape(value) end
    if name ~= "" then
      local known = args[name]
      if known == nil then args[name] = value
      elseif type(known) == "table" then known[#known + 1] = value
      else args[name] = { known, value } end
    end
  end
  return args
end

local function encode_args(args)
  local names, parts = {}, {}
  for name in pairs(args) do names[#names + 1] = name end
  sort(names, function(a, b) return tostring(a) < tostring(b) end)
  local function put(name, value)
    if value == true then parts[#parts + 1] = escape(tostring(name))
    elseif value ~= false and value ~= nil then
      parts[#parts + 1] = escape(tostring(name)) .. "=" .. escape(tostring(value))
    end
  end
  for _, name in ipairs(names) do
    local value = args[name]
    if type(value) == "table" then
      for _, one in ipairs(value) do put(name, one) end
    else
      put(name, value)
    end
  end
  return concat(parts, "&")
end

local function kind_of(content_type)
  return lower(match(content_type or "", "^%s*([^;%s]*)") or "")
end

-- cjson ----------------------------------------------------------------------------------------
local cjson = {
  encode = gh.json_encode,
  decode = gh.json_decode,
  null = gh.null,
  empty_array = gh.empty_array,
  array_mt = gh.array_mt,
  empty_array_mt = gh.array_mt,
  encode_empty_table_as_object = function() end,
  decode_array_with_array_mt = function() end,
  encode_number_precision = function() end,
}
cjson.new = function() return cjson end
local cjson_safe = {}
for name, value in pairs(cjson) do cjson_safe[name] = value end
cjson_safe.encode = function(value)
  local ok, out = raw_pcall(gh.json_encode, value)
  if ok then return out end
  return nil, tostring(out)
end
cjson_safe.decode = function(value)
  local ok, out = raw_pcall(gh.json_decode, value)
  if ok then return out end
  return nil, tostring(out)
end

-- kong -----------------------------------------------------------------------------------------
local kong = { version = gh.version, version_num = gh.version_num, default_workspace = gh.workspace }

local request = {}
request.get_scheme = gh.scheme
request.get_host = gh.host
request.get_port = gh.port
request.get_forwarded_scheme = gh.forwarded_scheme
request.get_forwarded_host = gh.forwarded_host
request.get_forwarded_port = gh.forwarded_port
request.get_forwarded_path = gh.forwarded_path
request.get_forwarded_prefix = gh.forwarded_prefix
request.get_http_version = gh.http_version
request.get_method = gh.method
request.get_path = gh.path
request.get_raw_path = gh.raw_path
request.get_raw_query = gh.raw_query
request.get_start_time = gh.start_time
function request.get_path_with_query()
  local query = gh.raw_query()
  if query == "" then return gh.raw_path() end
  return gh.raw_path() .. "?" .. query
end
function request.get_query_arg(name)
  local value = decode_args(gh.raw_query())[text(name, "name")]
  if type(value) == "table" then return value[1] end
  return value
end
function request.get_query(most)
  if most ~= nil then integer(most, "max_args", 1, 1000) end
  return decode_args(gh.raw_query(), most)
end
function request.get_header(name) return gh.header(text(name, "header name")) end
function request.get_headers(most)
  if most ~= nil then integer(most, "max_headers", 1, 1000) end
  return grouped(gh.header_lines(), most)
end
function request.get_raw_body() return gh.body() end
function request.get_body(content_type)
  local kind = kind_of(content_type or gh.header("content-type"))
  local body = gh.body()
  if kind == "application/x-www-form-urlencoded" then return decode_args(body), nil, kind end
  if kind == "application/json" then
    local value = cjson_safe.decode(body or "")
    if type(value) ~= "table" then return nil, "invalid json body", kind end
    return value, nil, kind
  end
  if kind == "multipart/form-data" then
    local boundary = match(gh.header("content-type") or "", 'boundary="?([^";,]+)')
    if not boundary then return nil, "missing boundary", kind end
    local args, at = {}, 1
    local mark = "--" .. boundary
    while true do
      local from, to = find(body or "", mark, at, true)
      if not from then break end
      local next_from = find(body, mark, to + 1, true)
      if not next_from then break end
      local part = sub(body, to + 1, next_from - 1)
      local head, value = match(part, "^\r?\n(.-)\r?\n\r?\n(.*)\r?\n$")
      local name = head and match(head, 'name="([^"]*)"')
      if name then args[name] = value end
      at = next_from
    end
    return args, nil, kind
  end
  return nil, "unsupported content type '" .. kind .. "' was provided", kind
end
function request.get_uri_captures() return gh.uri_captures() end
kong.request = freeze(request, "kong.request")

local client = {}
client.get_ip = gh.peer_ip
client.get_forwarded_ip = gh.client_ip
client.get_port = gh.peer_port
client.get_forwarded_port = gh.client_port
client.get_credential = gh.credential
client.get_consumer = gh.consumer
client.get_protocol = gh.protocol
function client.load_consumer(id)
  phase("access")
  return yield("load_consumer", text(id, "consumer_id"))
end
function client.authenticate(consumer, credential)
  phase("access")
  if consumer == nil and credential == nil then
    error("either credential or consumer must be provided", 2)
  end
  return yield("authenticate", consumer and consumer.id or "", credential and tostring(credential.id) or "")
end
function client.get_consumer_group() return nil end
function client.get_consumer_groups() return nil end
kong.client = freeze(client, "kong.client")

-- The functions of a request or an answer that change its headers.
local function edits_headers(members, allowed, set, add, clear)
  function members.set_header(name, value)
    allowed()
    if type(value) == "table" then
      clear(text(name, "header name"))
      for _, one in ipairs(value) do add(name, text(one, "header value")) end
      return
    end
    set(text(name, "header name"), text(value, "header value"))
  end
  function members.add_header(name, value)
    allowed()
    add(text(name, "header name"), text(value, "header value"))
  end
  function members.clear_header(name)
    allowed()
    clear(text(name, "header name"))
  end
  function members.set_headers(headers)
    allowed()
    if type(headers) ~= "table" then error("headers must be a table", 2) end
    for name, value in pairs(headers) do members.set_header(name, value) end
  end
end

local service_request = {}
local function editing() phase("rewrite", "access") end
function service_request.set_scheme(scheme)
  phase("access")
  if scheme ~= "http" and scheme ~= "https" then error("invalid scheme: " .. tostring(scheme), 2) end
  gh.set_scheme(scheme)
end
function service_request.set_path(path)
  editing()
  if type(path) ~= "string" then error("path must be a string", 2) end
  if sub(path, 1, 1) ~= "/" then error("path must start with /", 2) end
  gh.set_path(path)
end
function service_request.set_raw_query(query)
  editing()
  if type(query) ~= "string" then error("query must be a string", 2) end
  gh.set_query(query)
end
function service_request.set_query(args)
  editing()
  if type(args) ~= "table" then error("args must be a table", 2) end
  gh.set_query(encode_args(args))
end
function service_request.set_method(method)
  editing()
  if type(method) ~= "string" then error("method must be a string", 2) end
  if not find(method, "^[A-Z]+$") then error("invalid method: " .. method, 2) end
  gh.set_method(method)
end
edits_headers(service_request, editing, gh.set_header, gh.add_header, gh.clear_header)
function service_request.clear_query_arg(name)
  editing()
  local args = decode_args(gh.raw_query())
  args[text(name, "name")] = nil
  gh.set_query(encode_args(args))
end
function service_request.set_raw_body(body)
  editing()
  if type(body) ~= "string" then error("body must be a string", 2) end
  gh.set_body(body)
end
function service_request.set_body(args, content_type)
  editing()
  if type(args) ~= "table" then error("args must be a table", 2) end
  local given = content_type or gh.header("content-type")
  local kind = kind_of(given)
  local body
  if kind == "application/x-www-form-urlencoded" then body = encode_args(args)
  elseif kind == "application/json" then body = gh.json_encode(args)
  else return nil, "unsupported content type '" .. kind .. "' was provided" end
  gh.set_body(body)
  gh.set_header("Content-Type", given)
  return true
end
-- A plugin that names this function gets whole answers; when it calls it makes no difference.
function service_request.enable_buffering() phase("rewrite", "access") end

local service_response = {}
function service_response.get_status() return gh.service_status() end
function service_response.get_header(name) return gh.service_header(text(name, "name")) end
function service_response.get_headers(most) return grouped(gh.service_lines(), most) end
function service_response.get_raw_body() return gh.whole_body() end
function service_response.get_body()
  local kind = kind_of(gh.service_header("content-type"))
  local body = gh.whole_body()
  if kind == "application/json" then return cjson_safe.decode(body) end
  if kind == "application/x-www-form-urlencoded" then return decode_args(body) end
  return nil, "unsupported content type '" .. kind .. "' was provided"
end

local service = {
  request = freeze(service_request, "kong.service.request"),
  response = freeze(service_response, "kong.service.response"),
}
function service.set_target(host, port)
  phase("access")
  if type(host) ~= "string" or host == "" then error("host must be a string", 2) end
  gh.set_target(host, integer(port, "port", 0, 65535))
end
function service.set_upstream(host)
  phase("access")
  if type(host) ~= "string" then error("host must be a string", 2) end
  if not yield("has_upstream", host) then
    return nil, "could not find an Upstream named '" .. host .. "'"
  end
  gh.set_upstream(host)
  return true
end
function service.set_retries(retries)
  phase("access")
  gh.set_retries(integer(retries, "retries", 0, 32767))
end
function service.set_timeouts(connect, write, read)
  phase("access")
  gh.set_timeouts(integer(connect, "connect_timeout", 1, 2147483646),
    integer(write, "write_timeout", 1, 2147483646), integer(read, "read_timeout", 1, 2147483646))
end
kong.service = freeze(service, "kong.service")

local response = {}
response.get_status = gh.status
response.get_source = gh.source
function response.get_header(name) return gh.answer_header(text(name, "name")) end
function response.get_headers(most) return grouped(gh.answer_lines(), most) end
local function answering() phase("rewrite", "access", "header_filter", "response") end
function response.set_status(status)
  answering()
  gh.set_status(integer(status, "code", 100, 599))
end
edits_headers(response, answering, gh.set_answer_header, gh.add_answer_header, gh.clear_answer_header)
function response.get_raw_body()
  phase("body_filter", "response")
  return gh.collected_body()
end
function response.set_raw_body(body)
  phase("body_filter", "response")
  if type(body) ~= "string" then error("body must be a string", 2) end
  gh.replace_body(body)
end

local function flat_headers(headers)
  local lines = {}
  if headers == nil then return lines end
  if type(headers) ~= "table" then error("headers must be a nil or table", 3) end
  local names = {}
  for name in pairs(headers) do names[#names + 1] = text(name, "header name") end
  sort(names)
  for _, name in ipairs(names) do
    local value = headers[name]
    if type(value) == "table" then
      for _, one in ipairs(value) do
        lines[#lines + 1] = name
        lines[#lines + 1] = text(one, "header value")
      end
    else
      lines[#lines + 1] = name
      lines[#lines + 1] = text(value, "header value")
    end
  end
  return lines
end

function response.exit(status, body, headers)
  phase("rewrite", "access", "response", "preread")
  integer(status, "code", 100, 599)
  local lines = flat_headers(headers)
  if type(body) == "table" then
    local is_typed = false
    for at = 1, #lines, 2 do is_typed = is_typed or lower(lines[at]) == "content-type" end
    if not is_typed then
      lines[#lines + 1] = "Content-Type"
      lines[#lines + 1] = "application/json; charset=utf-8"
    end
    body = gh.json_encode(body)
  elseif body ~= nil and type(body) ~= "string" then
    error("body must be a nil, string or table", 2)
  end
  gh.exit(status, body, lines)
  stop()
end
function response.error(status, message, headers)
  phase("rewrite", "access", "response", "preread")
  integer(status, "code", 100, 599)
  if type(message) == "table" then message = gh.json_encode(message) end
  gh.exit_with_message(status, message, flat_headers(headers))
  stop()
end
kong.response = freeze(response, "kong.response")

local levels = { "debug", "info", "notice", "warn", "err", "crit", "alert", "emerg" }
local log = {}
local function joined(...)
  local parts = {}
  for at = 1, select("#", ...) do parts[at] = tostring((select(at, ...))) end
  return concat(parts)
end
for _, level in ipairs(levels) do
  log[level] = function(...) gh.log(level, joined(...)) end
end
log.inspect = setmetatable({ on = function() end, off = function() end }, {
  __call = function(_, ...) gh.log("debug", joined(...)) end,
  __metatable = false,
})
function log.set_serialize_value(name, value) gh.set_log_value(text(name, "key"), value) end
function log.deprecation(...) gh.log("warn", joined(...)) end
function log.set_format() end
log.serialize = gh.serialize
kong.log = setmetatable({}, {
  __index = log,
  __newindex = function(_, key) error("kong.log." .. tostring(key) .. " cannot be set", 2) end,
  __call = function(_, ...) gh.log("notice", joined(...)) end,
  __metatable = false,
})

kong.ctx = setmetatable({}, {
  __index = function(_, key)
    if key == "shared" then return gh.context_shared() end
    if key == "plugin" then return gh.context_plugin() end
  end,
  __newindex = function(_, key) error("kong.ctx." .. tostring(key) .. " cannot be set", 2) end,
  __metatable = false,
})

local router = { get_route = gh.route, get_service = gh.service }
kong.router = freeze(router, "kong.router")

local node = { get_id = gh.node_id, get_hostname = gh.hostname }
function node.get_memory_stats() return { workers_lua_vms = { { http_allocated_gc = gh.memory() } } } end
kong.node = freeze(node, "kong.node")

local ip = {}
function ip.is_trusted(address) return gh.is_trusted(text(address, "address")) end
kong.ip = freeze(ip, "kong.ip")

local kong_table = {}
function kong_table.new() return {} end
function kong_table.clear(members)
  for name in pairs(members) do members[name] = nil end
end
function kong_table.merge(first, second)
  local merged = {}
  for name, value in pairs(first or {}) do merged[name] = value end
  for name, value in pairs(second or {}) do merged[name] = value end
  return merged
end
kong.table = freeze(kong_table, "kong.table")

-- Each core keeps its own values, at most a thousand.
local cached, cached_count = {}, 0
local CACHED_MAX = 1000
local cache = {}
function cache.get(_, key, options, make, ...)
  local entry = cached[key]
  if entry and (entry.until_ms == nil or entry.until_ms > gh.now_ms()) then return entry.value, nil, 1 end
  if type(make) ~= "function" then return nil, "callback must be a function" end
  local value, fault, ttl = make(...)
  if fault then return nil, fault end
  ttl = ttl or options and (value == nil and options.neg_ttl or options.ttl)
  if cached_count >= CACHED_MAX then cached, cached_count = {}, 0 end
  if cached[key] == nil then cached_count = cached_count + 1 end
  cached[key] = { value = value, until_ms = ttl and ttl > 0 and gh.now_ms() + ttl * 1000 or nil }
  return value, nil, 3
end
function cache.probe(_, key)
  local entry = cached[key]
  if not entry then return nil end
  return entry.until_ms and (entry.until_ms - gh.now_ms()) / 1000 or 0, nil, entry.value
end
function cache.invalidate(_, key)
  if cached[key] ~= nil then cached[key], cached_count = nil, cached_count - 1 end
  return true
end
cache.invalidate_local = cache.invalidate
function cache.purge() cached, cached_count = {}, 0 end
kong.cache = freeze(cache, "kong.cache")

local vault = {}
function vault.is_reference(value) return type(value) == "string" and find(value, "^{vault://.+}$") ~= nil end
function vault.parse_reference(value)
  local name, resource, query = match(value, "^{vault://([^/]+)/([^?}]+)%??(.*)}$")
  if not name then return nil, "not a reference" end
  local id, key = match(resource, "^([^/]+)/?(.*)$")
  return { name = name, resource = id, key = key ~= "" and key or nil, config = decode_args(query) }
end
function vault.get(reference)
  if not vault.is_reference(reference) then return nil, "not a reference" end
  return gh.vault_get(reference)
end
function vault.try(callback, options) return callback(options) end
kong.vault = freeze(vault, "kong.vault")

kong.configuration = freeze({ prefix = "", lua_socket_pool_size = 256 }, "kong.configuration")
kong.plugin = freeze({ get_id = gh.plugin_id }, "kong.plugin")
kong.nginx = freeze({
  get_subsystem = function() return gh.phase() == "preread" and "stream" or "http" end,
}, "kong.nginx")
-- Nothing is exported from code: the log plugins and the node itself do.
kong.telemetry = freeze({
  log = function() return nil, "this node exports no logs of code" end,
}, "kong.telemetry")
kong.tracing = freeze({
  start_span = function()
    local span = {}
    for _, name in ipairs({ "set_attribute", "add_event", "record_error", "set_status", "finish" }) do
      span[name] = function() end
    end
    return span
  end,
  active_span = function() return nil end,
}, "kong.tracing")

-- ngx ------------------------------------------------------------------------------------------
local ngx = {
  null = gh.null,
  HTTP_GET = 2, HTTP_HEAD = 4, HTTP_POST = 8, HTTP_PUT = 16, HTTP_DELETE = 32,
  OK = 0, ERROR = -1, AGAIN = -2, DONE = -4, DECLINED = -5,
  STDERR = 0, EMERG = 1, ALERT = 2, CRIT = 3, ERR = 4, WARN = 5, NOTICE = 6, INFO = 7, DEBUG = 8,
  HTTP_OK = 200, HTTP_CREATED = 201, HTTP_NO_CONTENT = 204, HTTP_MOVED_PERMANENTLY = 301,
  HTTP_MOVED_TEMPORARILY = 302, HTTP_NOT_MODIFIED = 304, HTTP_BAD_REQUEST = 400,
  HTTP_UNAUTHORIZED = 401, HTTP_FORBIDDEN = 403, HTTP_NOT_FOUND = 404, HTTP_NOT_ALLOWED = 405,
  HTTP_CONFLICT = 409, HTTP_TOO_MANY_REQUESTS = 429, HTTP_INTERNAL_SERVER_ERROR = 500,
  HTTP_BAD_GATEWAY = 502, HTTP_SERVICE_UNAVAILABLE = 503, HTTP_GATEWAY_TIMEOUT = 504,
  encode_args = encode_args,
  decode_args = decode_args,
  escape_uri = escape,
  unescape_uri = unescape,
  encode_base64 = gh.encode_base64,
  decode_base64 = gh.decode_base64,
  md5_bin = gh.md5,
  sha1_bin = gh.sha1,
  hmac_sha1 = gh.hmac_sha1,
  update_time = function() end,
  get_phase = gh.phase,
  is_subrequest = false,
}
function ngx.md5(value)
  return (gsub(gh.md5(text(value, "value")), ".", function(c) return format("%02x", c:byte()) end))
end
ngx.crc32_long = gh.crc32
ngx.crc32_short = gh.crc32
ngx.parse_http_time = gh.parse_http_time
ngx.worker = freeze({
  id = function() return 0 end, count = function() return 1 end, pid = function() return 1 end,
  exiting = function() return false end,
}, "ngx.worker")
ngx.config = freeze({ subsystem = "http", debug = false, ngx_lua_version = 10028, nginx_version = 1027001,
  prefix = function() return "" end }, "ngx.config")
local function timer(delay, is_every, body, ...)
  if type(delay) ~= "number" or delay < 0 or (is_every and delay == 0) then error("delay must be a number that is not negative", 3) end
  if type(body) ~= "function" then error("the callback must be a function", 3) end
  if gh.timer(delay, is_every, body, ...) then return true end
  return nil, "too many pending timers"
end
ngx.timer = freeze({
  at = function(delay, body, ...) return timer(delay, false, body, ...) end,
  every = function(delay, body, ...) return timer(delay, true, body, ...) end,
  pending_count = gh.timers, running_count = function() return 0 end,
}, "ngx.timer")

-- Patterns: what the engine of the node reads; look-around and back references are not among it.
local function captures(subject, found, names)
  local all = {}
  for at = 0, #found / 2 - 1 do
    local from, to = found[at * 2 + 1], found[at * 2 + 2]
    all[at] = from > 0 and sub(subject, from, to) or false
  end
  for name, at in pairs(names) do all[name] = all[at] end
  return all
end
local re = {}
function re.match(subject, pattern, options, context)
  subject = tostring(subject)
  local found, names = gh.re_find(subject, pattern, options or "", context and context.pos or 1)
  if not found then return nil, names end
  if context then context.pos = found[2] + 1 end
  return captures(subject, found, names)
end
function re.find(subject, pattern, options, context, nth)
  subject = tostring(subject)
  local found, names = gh.re_find(subject, pattern, options or "", context and context.pos or 1)
  if not found then return nil, nil, names end
  if context then context.pos = found[2] + 1 end
  nth = nth or 0
  return found[nth * 2 + 1], found[nth * 2 + 2]
end
function re.gmatch(subject, pattern, options)
  subject = tostring(subject)
  local at = 1
  local _, fault = gh.re_find(subject, pattern, options or "", #subject + 1)
  if type(fault) == "string" then return nil, fault end
  return function()
    if at > #subject + 1 then return nil end
    local found, names = gh.re_find(subject, pattern, options or "", at)
    if not found then at = #subject + 2 return nil end
    at = found[2] >= found[1] and found[2] + 1 or found[1] + 1
    return captures(subject, found, names)
  end
end
local function substitute(subject, pattern, replacement, options, most)
  subject = tostring(subject)
  local parts, at, count = {}, 1, 0
  while count < most and at <= #subject + 1 do
    local found, names = gh.re_find(subject, pattern, options or "", at)
    if not found then
      if type(names) == "string" then return nil, nil, names end
      break
    end
    local all = captures(subject, found, names)
    parts[#parts + 1] = sub(subject, at, found[1] - 1)
    if type(replacement) == "function" then
      parts[#parts + 1] = tostring(replacement(all) or "")
    else
      local text_of = gsub(replacement, "%$(%$?){?(%w*)}?", function(dollar, name)
        if dollar ~= "" then return "$" .. name end
        return all[tonumber(name) or name] or ""
      end)
      parts[#parts + 1] = text_of
    end
    count = count + 1
    if found[2] < found[1] then
      parts[#parts + 1] = sub(subject, found[1], found[1])
      at = found[1] + 1
    else
      at = found[2] + 1
    end
  end
  parts[#parts + 1] = sub(subject, at)
  return concat(parts), count
end
function re.sub(subject, pattern, replacement, options) return substitute(subject, pattern, replacement, options, 1) end
function re.gsub(subject, pattern, replacement, options) return substitute(subject, pattern, replacement, options, math.huge) end
ngx.re = freeze(re, "ngx.re")
local function re_split(subject, pattern, options, _, most)
  local parts, at = {}, 1
  while not most or #parts + 1 < most do
    local found = gh.re_find(subject, pattern, options or "", at)
    if not found or found[2] < found[1] then break end
    parts[#parts + 1] = sub(subject, at, found[1] - 1)
    at = found[2] + 1
  end
  parts[#parts + 1] = sub(subject, at)
  return parts
end
function ngx.now() return gh.now_ms() / 1000 end
function ngx.time() return math.floor(gh.now_ms() / 1000) end
function ngx.today() return sub(gh.local_time(), 1, 10) end
ngx.localtime = gh.local_time
ngx.utctime = gh.local_time
ngx.http_time = gh.http_time
ngx.cookie_time = gh.http_time
function ngx.sleep(seconds)
  phase("rewrite", "access")
  if type(seconds) ~= "number" or seconds < 0 then error("invalid sleep duration", 2) end
  yield("sleep", seconds)
end
local ngx_levels = { [0] = "emerg", "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug" }
function ngx.log(level, ...) gh.log(ngx_levels[level] or "notice", joined(...)) end
function ngx.print(...)
  phase("rewrite", "access")
  gh.say(joined(...))
end
function ngx.say(...)
  phase("rewrite", "access")
  gh.say(joined(...) .. "\n")
end
function ngx.exit(status)
  phase("rewrite", "access")
  if status == 0 then stop() end
  gh.exit_said(status)
  stop()
end
function ngx.redirect(uri, status)
  phase("rewrite", "access")
  gh.exit(status or 302, nil, { "Location", text(uri, "uri") })
  stop()
end
function ngx.quote_sql_str(value)
  return "'" .. gsub(value, "['\\]", "\\%0") .. "'"
end
ngx.req = freeze({
  get_headers = function(most) return grouped(gh.header_lines(), most) end,
  get_method = gh.method,
  get_uri_args = function(most) return decode_args(gh.raw_query(), most) end,
  get_body_data = function() local body = gh.body() if body == "" then return nil end return body end,
  get_post_args = function(most) return decode_args(gh.body() or "", most) end,
  read_body = function() end,
  http_version = gh.http_version,
  start_time = function() return gh.start_time() / 1000 end,
  set_header = function(name, value)
    if value == nil then return service_request.clear_header(name) end
    service_request.set_header(name, value)
  end,
  clear_header = service_request.clear_header,
  set_method = function(method)
    for name, number in pairs({ GET = 2, HEAD = 4, POST = 8, PUT = 16, DELETE = 32 }) do
      if number == method then return gh.set_method(name) end
    end
    error("unsupported method", 2)
  end,
  set_uri = function(path) service_request.set_path(path) end,
  set_uri_args = function(args)
    if type(args) == "table" then args = encode_args(args) end
    service_request.set_raw_query(args)
  end,
  set_body_data = function(body) service_request.set_raw_body(body) end,
}, "ngx.req")
ngx.resp = freeze({
  get_headers = function(most) return grouped(gh.answer_lines(), most) end,
  add_header = response.add_header,
}, "ngx.resp")
ngx.header = setmetatable({}, {
  __index = function(_, name) return gh.answer_header((gsub(name, "_", "-"))) end,
  __newindex = function(_, name, value)
    name = gsub(name, "_", "-")
    if value == nil then return response.clear_header(name) end
    response.set_header(name, value)
  end,
  __metatable = false,
})
ngx.arg = setmetatable({}, {
  __index = function(_, at)
    if at == 1 then return gh.chunk() end
    if at == 2 then return gh.is_last_chunk() end
  end,
  __newindex = function(_, at, value)
    phase("body_filter")
    if at == 1 then gh.set_chunk(value == nil and "" or text(value, "chunk")) end
  end,
  __metatable = false,
})
local variables = {
  remote_addr = gh.client_ip, realip_remote_addr = gh.peer_ip, scheme = gh.scheme, host = gh.host,
  request_method = gh.method, uri = gh.path, args = gh.raw_query, request_id = gh.request_id,
  server_port = function() return tostring(gh.port()) end,
  remote_port = function() return tostring(gh.peer_port()) end,
  query_string = gh.raw_query, status = function() return tostring(gh.status()) end,
  request_uri = request.get_path_with_query, upstream_uri = gh.path,
  kong_request_id = gh.request_id,
}
ngx.var = setmetatable({}, {
  __index = function(_, name)
    if type(name) ~= "string" then return nil end
    local known = variables[name]
    if known then return known() end
    local header = match(name, "^http_(.+)$")
    if header then return gh.header((gsub(header, "_", "-"))) end
    local argument = match(name, "^arg_(.+)$")
    if argument then return request.get_query_arg(argument) end
    local cookie = match(name, "^cookie_(.+)$")
    if cookie then
      for key, value in string.gmatch(gh.header("cookie") or "", "([^=;%s]+)=([^;]*)") do
        if key == cookie then return value end
      end
    end
    return nil
  end,
  __newindex = function(_, name) error("ngx.var." .. tostring(name) .. " cannot be set", 2) end,
  __metatable = false,
})
local ngx_members = ngx
ngx = setmetatable({}, {
  __index = function(_, name)
    if name == "ctx" then return gh.context_shared() end
    if name == "status" then return gh.status() end
    local member = ngx_members[name]
    if member == nil and type(name) == "string" then
      error("ngx." .. name .. " is not part of this node", 2)
    end
    return member
  end,
  __newindex = function(_, name, value)
    if name == "status" then return response.set_status(value) end
    error("ngx." .. tostring(name) .. " cannot be set", 2)
  end,
  __metatable = false,
})
frozen[ngx] = ngx_members

-- Dictionaries that all cores share.
local dictionaries = {}
local function dictionary(name)
  local dict = {}
  function dict.get(_, key) return gh.dict_get(name, text(key, "key")) end
  function dict.set(_, key, value, ttl) return gh.dict_set(name, text(key, "key"), value, ttl or 0, "set") end
  function dict.safe_set(_, key, value, ttl) return gh.dict_set(name, text(key, "key"), value, ttl or 0, "set") end
  function dict.add(_, key, value, ttl) return gh.dict_set(name, text(key, "key"), value, ttl or 0, "add") end
  function dict.replace(_, key, value, ttl) return gh.dict_set(name, text(key, "key"), value, ttl or 0, "replace") end
  function dict.delete(_, key) return gh.dict_set(name, text(key, "key"), nil, 0, "set") end
  function dict.incr(_, key, by, first, ttl) return gh.dict_incr(name, text(key, "key"), by, first, ttl or 0) end
  return freeze(dict, "ngx.shared." .. name)
end
ngx_members.shared = setmetatable({}, {
  __index = function(_, name)
    if type(name) ~= "string" then return nil end
    dictionaries[name] = dictionaries[name] or dictionary(name)
    return dictionaries[name]
  end,
  __newindex = function() error("ngx.shared cannot be set", 2) end,
  __metatable = false,
})

-- The environment of each function --------------------------------------------------------------
local function copy(members, left_out)
  local out = {}
  for name, value in pairs(members) do
    if not (left_out and left_out[name]) then out[name] = value end
  end
  return out
end

local modules = {
  cjson = function() return freeze(cjson, "cjson") end,
  ["cjson.safe"] = function() return freeze(cjson_safe, "cjson.safe") end,
  ["resty.jit-uuid"] = function()
    return setmetatable({ generate_v4 = gh.uuid, seed = function() end }, { __call = gh.uuid })
  end,
  ["resty.http"] = function()
    return { new = function()
      local handle = { timeout = 10000 }
      function handle.set_timeout(self, timeout) self.timeout = timeout end
      function handle.set_timeouts(self, connect, send, read) self.timeout = connect + send + read end
      function handle.set_keepalive() return true end
      function handle.close() return true end
      function handle.request_uri(self, uri, options)
        phase("access")
        options = options or {}
        local query = options.query
        if type(query) == "table" then query = encode_args(query) end
        if query then uri = uri .. (find(uri, "?", 1, true) and "&" or "?") .. query end
        local status, fault_or_lines, body = yield("http", uri, options.method or "GET",
          flat_headers(options.headers), options.body or "", self.timeout, options.ssl_verify ~= false)
        if not status then return nil, fault_or_lines end
        return { status = status, headers = grouped(fault_or_lines), body = body, has_body = body ~= "" }
      end
      return handle
    end }
  end,
}

for name, make in pairs(gh.modules(gh, {
  merge = kong_table.merge, clear = kong_table.clear, encode_args = encode_args,
  decode_args = decode_args, escape = escape, re_split = re_split,
})) do modules[name] = make end
for name, library in pairs({ bit = bit or {}, string = string, table = table, math = math }) do
  modules[name] = function() return copy(library, { dump = true }) end
end
gh.module_names = modules

local string_lib = copy(string, { dump = true })
local safe_os = { time = os.time, clock = os.clock, date = os.date, difftime = os.difftime }
local safe_coroutine = {
  create = coroutine.create, status = coroutine.status, running = coroutine.running,
  yield = coroutine.yield,
}
local raw_resume, raw_wrap = coroutine.resume, coroutine.wrap
safe_coroutine.resume = function(...) return checked(raw_resume(...)) end
safe_coroutine.wrap = function(body)
  local made = raw_wrap(body)
  return function(...) return checked(made(...)) end
end
local raw_load, raw_setfenv, raw_getmetatable = load, setfenv, getmetatable

return function(find_module)
  local loaded = {}
  local environment
  local function safe_load(chunk, name, _, own)
    if type(chunk) == "function" then
      local parts = {}
      for part in chunk do parts[#parts + 1] = part end
      chunk = concat(parts)
    end
    if type(chunk) ~= "string" then return nil, "chunk must be text" end
    if chunk:byte(1) == 27 then return nil, "attempt to load chunk with wrong mode" end
    local made, fault = raw_load(chunk, name or "=(load)", "t", own or environment)
    return made, fault
  end
  environment = {
    _VERSION = _VERSION, assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs,
    select = select, tonumber = tonumber, tostring = tostring, type = type, unpack = unpack,
    rawequal = rawequal, rawget = rawget, rawlen = rawlen,
    print = function(...) gh.log("notice", joined(...)) end,
    pcall = function(...) return checked(raw_pcall(...)) end,
    xpcall = function(body, handler, ...) return checked(raw_xpcall(body, handler, ...)) end,
    rawset = function(members, key, value)
      if frozen[members] then error("it cannot be set", 2) end
      return rawset(members, key, value)
    end,
    setmetatable = function(members, meta)
      if frozen[members] then error("it cannot be set", 2) end
      return setmetatable(members, meta)
    end,
    getmetatable = function(value)
      if type(value) ~= "table" then return nil end
      return raw_getmetatable(value)
    end,
    load = safe_load, loadstring = safe_load,
    string = copy(string_lib), table = copy(table), math = copy(math), bit = copy(bit or {}),
    os = copy(safe_os), coroutine = copy(safe_coroutine),
    kong = freeze(kong, "kong"), ngx = ngx,
    require = function(name)
      if loaded[name] ~= nil then return loaded[name] end
      local make = modules[name]
      if make then
        loaded[name] = make()
        return loaded[name]
      end
      if not find_module then error("require '" .. tostring(name) .. "' not allowed within sandbox", 2) end
      local source = type(name) == "string" and find_module(name)
      if not source then
        error("module '" .. tostring(name) .. "' is neither in lua_package_path nor part of this node", 2)
      end
      local chunk, fault = raw_load(source, "@" .. name, "t", environment)
      if not chunk then error(fault, 2) end
      local made = chunk(name)
      loaded[name] = made == nil and true or made
      return loaded[name]
    end,
  }
  environment._G = environment
  return environment
end
