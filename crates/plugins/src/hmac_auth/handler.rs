//! `hmac-auth` at work.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialSlot, Exchange, Handler, Needs, PluginInput, Reply, Step,
};

use super::schema::Config;
use super::secret::Secret;
use super::signature::Shown;
use crate::auth;
use crate::http_date::unix_seconds;

const NOTHING: &str = "Unauthorized";
const NO_DATE: &str = "HMAC signature cannot be verified, a valid date or x-date header is \
                       required for HMAC Authentication";
const UNVERIFIABLE: &str = "HMAC signature cannot be verified";
const WRONG: &str = "HMAC signature does not match";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(HmacAuth {
        users: context.credential_slot(super::USERS)?,
        challenge: auth::challenge("hmac", config.realm.as_ref()),
        config,
    }))
}

struct HmacAuth {
    config: Config,
    users: CredentialSlot,
    /// Value of `WWW-Authenticate` in a refusal.
    challenge: Bytes,
}

impl HmacAuth {
    /// Makes the owner of the secret the caller, or says why not.
    fn authenticate(&self, exchange: &mut Exchange<'_>) -> Result<(), &'static str> {
        if !auth::has_header(exchange) {
            return Err(NOTHING);
        }
        let dates = ["x-date", "date"];
        if !dates.iter().any(|name| self.is_recent(name, exchange)) {
            return Err(NO_DATE);
        }
        let hides = self.config.hide_credentials;
        let shown = auth::shown(exchange, hides, Shown::parse).ok_or(UNVERIFIABLE)?;
        let is_covered = |name: &String| shown.headers.contains(name);
        if !self.config.algorithms.contains(&shown.algorithm)
            || !self.config.enforce_headers.iter().all(is_covered)
        {
            return Err(UNVERIFIABLE);
        }
        let lookups = exchange.lookups;
        let credential = lookups
            .credential(self.users, &shown.username, exchange.now_ms)
            .ok_or(UNVERIFIABLE)?;
        let secret: &Secret = auth::prepared(credential).ok_or(UNVERIFIABLE)?;
        if !shown.is_made_with(secret.expose(), exchange) {
            return Err(WRONG);
        }
        if self.config.validate_request_body && !has_its_digest(exchange) {
            return Err(WRONG);
        }
        auth::set_consumer(exchange, credential, Bytes::from(shown.username));
        Ok(())
    }

    fn is_recent(&self, name: &str, exchange: &Exchange<'_>) -> bool {
        let Some(date) = exchange.header(name).and_then(unix_seconds) else {
            return false;
        };
        let now = i64::try_from(exchange.now_ms / 1000).unwrap_or(i64::MAX);
        let off = u32::try_from(now.abs_diff(date)).unwrap_or(u32::MAX);
        f64::from(off) <= self.config.clock_skew
    }
}

/// Whether `Digest` is that of the body. Without one the body must be empty.
fn has_its_digest(exchange: &Exchange<'_>) -> bool {
    let body = exchange.body.unwrap_or_default();
    match exchange.header("digest") {
        None => body.is_empty(),
        Some(shown) => {
            let own = STANDARD.encode(digest(&SHA256, body));
            shown.strip_prefix(b"SHA-256=") == Some(own.as_bytes())
        }
    }
}

impl Handler for HmacAuth {
    fn needs(&self) -> Needs {
        match self.config.validate_request_body {
            true => Needs::REQUEST_BODY,
            false => Needs::NONE,
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let anonymous = self.config.anonymous.as_ref();
        if auth::is_proved(exchange, anonymous) {
            return Step::CONTINUE;
        }
        match self.authenticate(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(message) => auth::refuse(exchange, anonymous, || {
                Reply::message(401, message).header("WWW-Authenticate", self.challenge.clone())
            }),
        }
    }
}
