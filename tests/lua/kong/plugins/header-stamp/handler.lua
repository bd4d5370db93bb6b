local text = require "kong.plugins.header-stamp.text"

local HeaderStamp = {
  PRIORITY = 805,
  VERSION = "0.3.1",
}

local started

function HeaderStamp:init_worker()
  started = ngx.now()
  kong.log.debug("ready")
end

function HeaderStamp:access(conf)
  local stamp = text.stamp(conf, kong.router.get_route())
  kong.service.request.set_header(conf.request_header, stamp)
  kong.ctx.plugin.stamp = stamp
end

function HeaderStamp:header_filter(conf)
  kong.response.set_header(conf.response_header, kong.ctx.plugin.stamp)
  kong.response.set_header("X-Began", started and "yes" or "no")
end

return HeaderStamp
