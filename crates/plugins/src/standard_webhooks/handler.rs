//! `standard-webhooks` at work.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};

use super::schema::Config;

/// What a signature begins with: the version of the scheme.
const VERSION: &[u8] = b"v1,";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(StandardWebhooks {
        // Compat: the secret counts as it is written, not as the base64 that it may be.
        key: hmac::Key::new(hmac::HMAC_SHA256, config.secret.as_bytes()),
        tolerance: config.tolerance,
    }))
}

struct StandardWebhooks {
    key: hmac::Key,
    tolerance: f64,
}

impl StandardWebhooks {
    /// Whether the message is what its signature says, and not too old.
    fn is_good(&self, exchange: &Exchange<'_>) -> Option<bool> {
        let id = exchange.header("webhook-id")?;
        let signature = exchange.header("webhook-signature")?;
        let time = exchange.header("webhook-timestamp")?;
        // Compat: a time that is no number is as old as can be.
        let time = std::str::from_utf8(time).ok();
        let time: f64 = time
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0.0);
        let is_late = millis(exchange.now_ms) / 1000.0 - time > self.tolerance;
        let body = exchange.body.filter(|body| !body.is_empty())?;
        if is_late || !time.is_finite() {
            return Some(false);
        }
        let told = STANDARD.decode(signature.strip_prefix(VERSION)?).ok()?;
        let signed = [id, b".", time.to_string().as_bytes(), b".", body].concat();
        Some(hmac::verify(&self.key, &signed, &told).is_ok())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of an epoch are below 2^53"
)]
fn millis(now_ms: u64) -> f64 {
    now_ms as f64
}

impl Handler for StandardWebhooks {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        match self.is_good(exchange) {
            Some(true) => Step::CONTINUE,
            _ => Step::respond(Reply::message(400, "Bad request")),
        }
    }
}
