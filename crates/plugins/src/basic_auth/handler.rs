//! `basic-auth` at work.

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialSlot, Exchange, Handler, PluginInput, Reply, Step,
};

use super::password::Hash;
use super::schema::Config;
use crate::auth;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(BasicAuth {
        users: context.credential_slot(super::USERS)?,
        challenge: auth::challenge("Basic", Some(&config.realm)),
        config,
    }))
}

/// Compat: the padding at the end may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

struct BasicAuth {
    config: Config,
    users: CredentialSlot,
    /// Value of `WWW-Authenticate` in a refusal.
    challenge: Bytes,
}

impl BasicAuth {
    /// Makes the owner of the credential the caller; false if nobody is proved.
    fn authenticate(&self, exchange: &mut Exchange<'_>) -> bool {
        let hides = self.config.hide_credentials;
        let Some((user, password)) = auth::shown(exchange, hides, pair) else {
            return false;
        };
        let lookups = exchange.lookups;
        let Some(credential) = lookups.credential(self.users, &user, exchange.now_ms) else {
            return false;
        };
        let hash: Option<&Hash> = auth::prepared(credential);
        if !hash.is_some_and(|hash| hash.is_of(&password, credential.consumer.id)) {
            return false;
        }
        auth::set_consumer(exchange, credential, Bytes::from(user));
        true
    }
}

/// Reads `Basic dXNlcjpwYXNz`.
fn pair(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let encoded = value
        .strip_prefix(b"Basic")
        .or_else(|| value.strip_prefix(b"basic"))?;
    if !encoded.starts_with(b" ") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim_ascii()).ok()?;
    let at = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded[..at].to_vec(), decoded[at + 1..].to_vec()))
}

impl Handler for BasicAuth {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let anonymous = self.config.anonymous.as_ref();
        if auth::is_proved(exchange, anonymous) || self.authenticate(exchange) {
            return Step::CONTINUE;
        }
        auth::refuse(exchange, anonymous, || {
            Reply::message(401, "Unauthorized").header("WWW-Authenticate", self.challenge.clone())
        })
    }
}
