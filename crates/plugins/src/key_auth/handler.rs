//! `key-auth` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialSlot, Exchange, Handler, Needs, PluginInput, Reply, Step,
};

use super::identity::{set_anonymous, set_consumer};
use super::presented::{Presented, present};
use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let challenge = match &config.realm {
        Some(realm) => format!("Key realm=\"{realm}\""),
        None => "Key".to_owned(),
    };
    Ok(Arc::new(KeyAuth {
        keys: context.credential_slot(super::KEYS)?,
        config,
        challenge: challenge.into(),
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
                set_consumer(exchange, credential);
                Ok(())
            }
        }
    }

    fn refuse(&self, message: &'static str, exchange: &mut Exchange<'_>) -> Step<'static> {
        let Some(anonymous) = &self.config.anonymous else {
            let reply = Reply::message(401, message);
            return Step::respond(reply.header("WWW-Authenticate", self.challenge.clone()));
        };
        let lookups = exchange.lookups;
        match lookups.consumer_named(anonymous) {
            Some(consumer) => {
                set_anonymous(exchange, consumer);
                Step::CONTINUE
            }
            // Compat: a consumer that does not exist is a failure of the gateway, not of the
            // caller.
            None => Step::respond(Reply::failure()),
        }
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
        // Compat: with a stand-in configured, a caller whom another plugin has proved is let
        // through, so several plugins with stand-ins are alternatives.
        if self.config.anonymous.is_some() && exchange.identity.credential.is_some() {
            return Step::CONTINUE;
        }
        match self.authenticate(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(message) => self.refuse(message, exchange),
        }
    }
}
