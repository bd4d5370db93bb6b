//! `request-size-limiting` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};

use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(RequestSizeLimiting { config }))
}

struct RequestSizeLimiting {
    config: Config,
}

impl Handler for RequestSizeLimiting {
    fn needs(&self) -> Needs {
        Needs::UNSIZED_REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let named = exchange.header("content-length");
        let named = named.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let size = match (named, exchange.body) {
            (Some(size), _) => size,
            // Compat: a body in pieces is measured instead.
            (None, _) if self.config.require_content_length && !is_in_pieces(exchange) => {
                let message = "A valid Content-Length header is required";
                return Step::respond(Reply::message(411, message));
            }
            (None, body) => body.map_or(0, |body| body.len() as u64),
        };
        if size <= self.config.limit {
            return Step::CONTINUE;
        }
        let expects = exchange.header("expect");
        let waits = expects.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        let status = if waits { 417 } else { 413 };
        Step::respond(Reply::message(status, "Request size limit exceeded"))
    }
}

fn is_in_pieces(exchange: &Exchange<'_>) -> bool {
    exchange.header("transfer-encoding").is_some()
}
