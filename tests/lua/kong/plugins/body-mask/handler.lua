local BodyMask = { PRIORITY = 700, VERSION = "0.1" }

function BodyMask:header_filter(conf)
  kong.response.clear_header("Content-Length")
end

function BodyMask:body_filter(conf)
  local ctx = kong.ctx.plugin
  local chunk, eof = ngx.arg[1], ngx.arg[2]
  ctx.chunks = ctx.chunks or {}
  ctx.chunks[#ctx.chunks + 1] = chunk
  ngx.arg[1] = nil
  if eof then
    local masked, count, err = ngx.re.gsub(table.concat(ctx.chunks), conf.pattern, conf.mask, "jo")
    if err then
      kong.log.err("cannot mask: ", err)
    end
    ngx.arg[1] = masked
    kong.log.debug(count, " masked")
  end
end

return BodyMask
