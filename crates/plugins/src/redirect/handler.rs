//! `redirect` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, PluginInput, Reply, ReplyBody, Step,
};

use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let target = match config.keep_incoming_path {
        true => Target::Origin(Bytes::from(origin(&config.location)?)),
        false => Target::Fixed(Bytes::from(config.location)),
    };
    Ok(Arc::new(Redirect {
        status: config.status_code,
        target,
    }))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> Result<String, BuildError> {
    let refused = || BuildError::Config {
        field: "location".to_owned(),
        reason: format!("`{url}` is no URL with a scheme and a host"),
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(refused());
    }
    Ok(format!("{scheme}://{authority}"))
}

enum Target {
    /// This URL.
    Fixed(Bytes),
    /// Path and query of the request at this origin.
    Origin(Bytes),
}

struct Redirect {
    status: u16,
    target: Target,
}

impl Handler for Redirect {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let location = match &self.target {
            Target::Fixed(url) => url.clone(),
            Target::Origin(origin) => {
                let mut url = origin.to_vec();
                match exchange.head.path() {
                    [] => url.push(b'/'),
                    path => url.extend_from_slice(path),
                }
                if let Some(query) = exchange.head.query() {
                    url.push(b'?');
                    url.extend_from_slice(query);
                }
                Bytes::from(url)
            }
        };
        let body = ReplyBody::Raw(Bytes::from_static(b"redirecting"));
        Step::respond(Reply::with_body(self.status, body).header("Location", location))
    }
}
