//! `key-auth` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialSlot, Exchange, Handler, Needs, PluginInput, Reply, Step,
};

use super::presented::{Presented, present};
use super::schema::Config;
use crate::auth;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(KeyAuth {
        keys: context.credential_slot(super::KEYS)?,
        challenge: auth::challenge("Key", config.realm.as_ref()),
        config,
    }))
}

struct KeyAuth {
    config: Config,
    keys: CredentialSlot,
    /// Value of `WWW-Authenticate` in a refusal.
    challenge: Bytes,
}

impl KeyAuth {
    /// Makes the owner of the key the caller, or says why not.
    fn authenticate(&self, exchange: &mut Exchange<'_>) -> Result<(), &'static str> {
        let key = match present(&self.config, exchange) {
            Presented::Duplicate => return Err("Duplicate API key found"),
            Presented::Nothing => return Err("No API key found in request"),
            Presented::Key(key) => key,
        };
        let lookups = exchange.lookups;
        match lookups.credential(self.keys, &key, exchange.now_ms) {
            None => Err("Unauthorized"),
            Some(credential) => {
                auth::set_consumer(exchange, credential, credential.id_text.clone());
                Ok(())
            }
        }
    }

    fn refuse(&self, message: &'static str, exchange: &mut Exchange<'_>) -> Step<'static> {
        auth::refuse(exchange, self.config.anonymous.as_ref(), || {
            Reply::message(401, message).header("WWW-Authenticate", self.challenge.clone())
        })
    }
}

impl Handler for KeyAuth {
    fn needs(&self) -> Needs {
        if self.config.key_in_body {
            Needs::REQUEST_BODY
        } else {
            Needs::NONE
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        if !self.config.run_on_preflight && exchange.method() == b"OPTIONS" {
            return Step::CONTINUE;
        }
        if auth::is_proved(exchange, self.config.anonymous.as_ref()) {
            return Step::CONTINUE;
        }
        match self.authenticate(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(message) => self.refuse(message, exchange),
        }
    }
}
