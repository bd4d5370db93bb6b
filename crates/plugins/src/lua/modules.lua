-- Modules that code may ask for, beside those of `kit.lua`. Each is made when it is first asked for.
local gh, kit = ...

local error, type, tostring, pairs, ipairs, setmetatable = error, type, tostring, pairs, ipairs, setmetatable
local format, gsub, sub, find, match = string.format, string.gsub, string.sub, string.find, string.match
local concat, sort = table.concat, table.sort

local function to_hex(value)
  return (gsub(value, ".", function(c) return format("%02x", c:byte()) end))
end

-- An object that takes text in parts and gives one result.
local function digest(compute)
  return { new = function()
    local parts = {}
    return {
      update = function(_, part) parts[#parts + 1] = part return true end,
      final = function(_, last)
        if last then parts[#parts + 1] = last end
        return compute(concat(parts))
      end,
      reset = function() parts = {} return true end,
    }
  end }
end

local function is_array(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count == #value
end

local function contains(list, value)
  for at, one in ipairs(list or {}) do
    if one == value then return true, at end
  end
  return false
end

local function deep_copy(value, seen)
  if type(value) ~= "table" then return value end
  seen = seen or {}
  if seen[value] then return seen[value] end
  local copied = {}
  seen[value] = copied
  for key, one in pairs(value) do copied[deep_copy(key, seen)] = deep_copy(one, seen) end
  return copied
end

local function strip(value)
  if value == nil then return "" end
  return (match(tostring(value), "^%s*(.-)%s*$"))
end

local function split(value, by)
  local parts, at = {}, 1
  while true do
    local from, to = find(value, by, at, true)
    if not from or to < from then break end
    parts[#parts + 1] = sub(value, at, from - 1)
    at = to + 1
  end
  parts[#parts + 1] = sub(value, at)
  return parts
end

local LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
local function random_string()
  return (gsub(gh.random(32), ".", function(c)
    local at = c:byte() % #LETTERS + 1
    return sub(LETTERS, at, at)
  end))
end

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
local function is_valid_uuid(value) return type(value) == "string" and find(value, UUID) ~= nil end

local function shown(value, depth)
  if type(value) == "string" then return format("%q", value) end
  if type(value) ~= "table" then return tostring(value) end
  if depth > 8 then return "{...}" end
  local parts, names = {}, {}
  for at = 1, #value do parts[at] = shown(value[at], depth + 1) end
  for name in pairs(value) do
    if type(name) ~= "number" or name < 1 or name > #value then names[#names + 1] = name end
  end
  sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do parts[#parts + 1] = tostring(name) .. " = " .. shown(value[name], depth + 1) end
  return "{ " .. concat(parts, ", ") .. " }"
end

-- The least recently used entry goes first.
local function lrucache(most)
  most = most or 100
  local entries, count = {}, 0
  local newest, oldest
  local function unlink(entry)
    if entry.newer then entry.newer.older = entry.older else newest = entry.older end
    if entry.older then entry.older.newer = entry.newer else oldest = entry.newer end
    entry.newer, entry.older = nil, nil
  end
  local function push(entry)
    entry.older = newest
    if newest then newest.newer = entry end
    newest = entry
    oldest = oldest or entry
  end
  local function drop(entry)
    unlink(entry)
    entries[entry.key] = nil
    count = count - 1
  end
  local cache = {}
  function cache.get(_, key)
    local entry = entries[key]
    if not entry then return nil end
    unlink(entry)
    push(entry)
    if entry.until_ms and entry.until_ms <= gh.now_ms() then return nil, entry.value end
    return entry.value
  end
  function cache.set(_, key, value, ttl)
    local entry = entries[key]
    if entry then
      unlink(entry)
    else
      if count >= most then drop(oldest) end
      entry = { key = key }
      entries[key] = entry
      count = count + 1
    end
    entry.value = value
    entry.until_ms = ttl and gh.now_ms() + ttl * 1000 or nil
    push(entry)
  end
  function cache.delete(_, key)
    if entries[key] then drop(entries[key]) end
  end
  function cache.flush_all() entries, count, newest, oldest = {}, 0, nil, nil end
  function cache.count() return count end
  function cache.capacity() return most end
  return cache
end

local function hmac_of(algorithm, key)
  local parts = {}
  return {
    update = function(_, part) parts[#parts + 1] = part return true end,
    final = function(_, last, as_hex)
      if last then parts[#parts + 1] = last end
      local result = gh.hmac(algorithm, key, concat(parts))
      return as_hex and to_hex(result) or result
    end,
    reset = function() parts = {} return true end,
  }
end

local function base64url(value)
  return (gsub(gsub(gsub(gh.encode_base64(value), "+", "-"), "/", "_"), "=", ""))
end

local function from_base64url(value)
  if type(value) ~= "string" then return nil, "must provide a string" end
  value = gsub(gsub(value, "-", "+"), "_", "/")
  return gh.decode_base64(value .. string.rep("=", (4 - #value % 4) % 4))
end

-- `typedefs.NAME` and `typedefs.NAME { changes }`, as `schema.lua` uses them.
local function typedefs()
  local function typedef(name, members)
    members.__typedef = name
    return setmetatable(members, { __call = function(self, changes)
      local changed = {}
      for key, value in pairs(self) do changed[key] = value end
      for key, value in pairs(changes or {}) do changed[key] = value end
      return typedef(name, changed)
    end })
  end
  return setmetatable({}, { __index = function(_, name) return typedef(name, {}) end })
end

local tools_string = {
  strip = strip, split = split, random_string = random_string,
  is_blank = function(value) return value == nil or strip(value) == "" end,
  replace_dashes = function(value) return (gsub(value, "-", "_")) end,
}
local tools_table = {
  table_contains = contains, is_array = is_array, deep_copy = deep_copy,
  cycle_aware_deep_copy = deep_copy, shallow_copy = function(value)
    if type(value) ~= "table" then return value end
    local copied = {}
    for key, one in pairs(value) do copied[key] = one end
    return copied
  end,
  table_merge = kit.merge,
  concat = function(...)
    local all = {}
    for _, list in ipairs({ ... }) do
      for _, one in ipairs(list) do all[#all + 1] = one end
    end
    return all
  end,
}
local tools_rand = { random_string = random_string, get_rand_bytes = gh.random }
local tools_uuid = { uuid = gh.uuid, is_valid_uuid = is_valid_uuid }
local tools_sha256 = {
  sha256_bin = gh.sha256,
  sha256_hex = function(value) return to_hex(gh.sha256(value)) end,
}
local tools_time = {
  time_ns = function() return gh.now_ms() * 1e6 end,
  get_now_ms = gh.now_ms, get_updated_now_ms = gh.now_ms,
  get_updated_now = function() return gh.now_ms() / 1000 end,
}

local function utils()
  local all = {}
  for _, part in ipairs({ tools_string, tools_table, tools_rand, tools_uuid, tools_sha256, tools_time }) do
    for name, value in pairs(part) do all[name] = value end
  end
  all.encode_args, all.decode_args, all.escape_uri = kit.encode_args, kit.decode_args, kit.escape
  return all
end

local function give(value) return function() return deep_copy(value) end end

return {
  ["inspect"] = function()
    return setmetatable({ inspect = function(value) return shown(value, 0) end },
      { __call = function(_, value) return shown(value, 0) end })
  end,
  ["kong.constants"] = give({ HEADERS = {
    CONSUMER_ID = "X-Consumer-ID", CONSUMER_CUSTOM_ID = "X-Consumer-Custom-ID",
    CONSUMER_USERNAME = "X-Consumer-Username", CREDENTIAL_IDENTIFIER = "X-Credential-Identifier",
    ANONYMOUS = "X-Anonymous-Consumer", AUTHENTICATED_GROUPS = "X-Authenticated-Groups",
    CONSUMER_GROUPS = "X-Consumer-Groups", REQUEST_ID = "X-Kong-Request-Id",
    UPSTREAM_LATENCY = "X-Kong-Upstream-Latency", PROXY_LATENCY = "X-Kong-Proxy-Latency",
    RESPONSE_LATENCY = "X-Kong-Response-Latency", FORWARDED_PATH = "X-Forwarded-Path",
    FORWARDED_PREFIX = "X-Forwarded-Prefix", RATELIMIT_LIMIT = "X-RateLimit-Limit",
    RATELIMIT_REMAINING = "X-RateLimit-Remaining",
  } }),
  ["kong.meta"] = give({ _VERSION = gh.version, version = gh.version, core_version = gh.version }),
  ["kong.db.schema.typedefs"] = typedefs,
  ["kong.tools.cjson"] = function()
    return { encode = gh.json_encode, decode = gh.json_decode, encode_with_array_mt = gh.json_encode,
      decode_with_array_mt = gh.json_decode, array_mt = gh.array_mt }
  end,
  ["kong.tools.string"] = give(tools_string),
  ["kong.tools.table"] = give(tools_table),
  ["kong.tools.rand"] = give(tools_rand),
  ["kong.tools.uuid"] = give(tools_uuid),
  ["kong.tools.sha256"] = give(tools_sha256),
  ["kong.tools.time"] = give(tools_time),
  ["kong.tools.utils"] = utils,
  ["ngx.base64"] = give({ encode_base64url = base64url, decode_base64url = from_base64url }),
  ["ngx.re"] = function() return { split = kit.re_split, opt = function() end } end,
  ["resty.md5"] = function() return digest(gh.md5) end,
  ["resty.sha1"] = function() return digest(gh.sha1) end,
  ["resty.sha256"] = function() return digest(gh.sha256) end,
  ["resty.string"] = function()
    return { to_hex = to_hex, atoi = function(value) return tonumber(value) or 0 end }
  end,
  ["resty.random"] = function()
    return { bytes = gh.random, token = function(length) return sub(to_hex(gh.random(length)), 1, length) end }
  end,
  ["resty.hmac"] = function()
    return {
      ALGOS = { MD5 = "md5", SHA1 = "sha1", SHA256 = "sha256", SHA512 = "sha512" },
      new = function(_, key, algorithm) return hmac_of(algorithm or "md5", key) end,
    }
  end,
  ["resty.openssl.hmac"] = function()
    return { new = function(key, algorithm) return hmac_of(algorithm or "sha1", key) end }
  end,
  ["resty.lrucache"] = function() return { new = lrucache } end,
  ["table.new"] = function() return function() return {} end end,
  ["table.clear"] = function() return kit.clear end,
  ["table.nkeys"] = function()
    return function(members)
      local count = 0
      for _ in pairs(members) do count = count + 1 end
      return count
    end
  end,
  ["table.isempty"] = function() return function(members) return next(members) == nil end end,
}
