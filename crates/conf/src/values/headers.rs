//! `headers` and `headers_upstream`: which headers the node adds.

/// Headers that the node adds to answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderTokens {
    /// `Server`, on answers of the node itself.
    pub server: bool,
    /// `Via`, on proxied answers.
    pub via: bool,
    /// `X-Kong-Proxy-Latency`, on proxied answers.
    pub proxy_latency: bool,
    /// `X-Kong-Upstream-Latency`, on proxied answers.
    pub upstream_latency: bool,
    /// `X-Kong-Response-Latency`, on answers of the node itself.
    pub response_latency: bool,
    /// `X-Kong-Admin-Latency`, on the status and Admin API.
    pub admin_latency: bool,
    /// `X-Kong-Upstream-Status`.
    pub upstream_status: bool,
    /// `X-Kong-Request-Id`.
    pub request_id: bool,
}

impl HeaderTokens {
    /// Reads the list; `off` alone, or an empty list, adds none.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        let mut tokens = Self::default();
        for entry in entries {
            match entry.to_ascii_lowercase().as_str() {
                "off" => return Ok(Self::default()),
                "server_tokens" => (tokens.server, tokens.via) = (true, true),
                "latency_tokens" => {
                    tokens.proxy_latency = true;
                    tokens.upstream_latency = true;
                    tokens.response_latency = true;
                    tokens.admin_latency = true;
                }
                "server" => tokens.server = true,
                "via" => tokens.via = true,
                "x-kong-proxy-latency" => tokens.proxy_latency = true,
                "x-kong-upstream-latency" => tokens.upstream_latency = true,
                "x-kong-response-latency" => tokens.response_latency = true,
                "x-kong-admin-latency" => tokens.admin_latency = true,
                "x-kong-upstream-status" => tokens.upstream_status = true,
                "x-kong-request-id" => tokens.request_id = true,
                _ => {
                    return Err(format!(
                        "`{entry}` is not a header that can be added; {POSSIBLE}"
                    ));
                }
            }
        }
        Ok(tokens)
    }
}

const POSSIBLE: &str = "possible are off, server_tokens, latency_tokens, Server, Via, \
     X-Kong-Proxy-Latency, X-Kong-Upstream-Latency, X-Kong-Response-Latency, \
     X-Kong-Admin-Latency, X-Kong-Upstream-Status, X-Kong-Request-Id";

/// Headers that the node adds towards services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamHeaders {
    /// `X-Kong-Request-Id`.
    pub request_id: bool,
}

impl UpstreamHeaders {
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        let mut headers = Self::default();
        for entry in entries {
            match entry.to_ascii_lowercase().as_str() {
                "off" => return Ok(Self::default()),
                "x-kong-request-id" => headers.request_id = true,
                _ => {
                    return Err(format!(
                        "`{entry}` is not a header that can be added; possible are off and \
                         X-Kong-Request-Id"
                    ));
                }
            }
        }
        Ok(headers)
    }
}
