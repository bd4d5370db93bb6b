//! How the forward proxy may be named.

use schema::{Check, CustomCheck, Failure, Map};
use serde_json::Value;

/// The forward proxy is spoken to without TLS.
pub(super) fn proxy_without_tls() -> Check {
    Check::Custom(CustomCheck {
        name: "scheme of the forward proxy",
        fields: &["config.proxy_url"],
        published: &["config.proxy_url"],
        run_with_missing_fields: false,
        run_with_invalid_fields: false,
        run,
    })
}

fn run(plugin: &Map) -> Result<(), Failure> {
    let url = plugin
        .get("config")
        .and_then(|config| config.get("proxy_url"));
    match url.and_then(Value::as_str) {
        Some(url) if !url.starts_with("http://") => {
            Err(Failure::entity("proxy_url scheme must be http"))
        }
        _ => Ok(()),
    }
}
