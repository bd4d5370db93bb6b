//! `jwt` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialEntry, CredentialSlot, Exchange, Handler, PluginInput,
    Reply, ReplyBody, Step,
};
use serde_json::{Value, json};

use super::key::{Key, Verified};
use super::presented::tokens;
use super::schema::Config;
use super::token::Token;
use crate::auth;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let plain = auth::challenge("Bearer", config.realm.as_ref());
    Ok(Arc::new(Jwt {
        keys: context.credential_slot(super::KEYS)?,
        invalid: [&plain[..], b" error=\"invalid_token\""].concat().into(),
        plain,
        config,
    }))
}

struct Jwt {
    config: Config,
    keys: CredentialSlot,
    /// Values of `WWW-Authenticate`: without a token, and with a bad one.
    plain: Bytes,
    invalid: Bytes,
}

/// Why nobody is proved.
enum Refusal {
    Nothing,
    Message(String),
    /// What is wrong with the claims, by name.
    Claims(Value),
    /// A claim that the reference fails on.
    Failure,
}

impl Jwt {
    /// Makes the owner of the key the caller, or says why not.
    fn authenticate(&self, exchange: &mut Exchange<'_>) -> Result<(), Refusal> {
        let tokens = tokens(&self.config, exchange);
        let text = match tokens.as_slice() {
            [] => return Err(Refusal::Nothing),
            [one] => one,
            _ => return Err(message("Multiple tokens provided")),
        };
        let token = Token::parse(text).map_err(message)?;
        let lookups = exchange.lookups;
        let name = self.key_name(&token)?;
        let credential = lookups
            .credential(self.keys, name.as_bytes(), exchange.now_ms)
            .ok_or_else(|| {
                let claim = &self.config.key_claim_name;
                Refusal::Message(format!("No credentials found for given '{claim}'"))
            })?;
        self.verify(&token, credential)?;
        self.check_times(&token, exchange.now_ms)?;
        let identifier = Bytes::copy_from_slice(name.as_bytes());
        auth::set_consumer(exchange, credential, identifier);
        Ok(())
    }

    /// The key that the token names, in its claims or its header.
    fn key_name<'t>(&self, token: &'t Token<'_>) -> Result<&'t str, Refusal> {
        let claim = &self.config.key_claim_name;
        let is_there = |value: &&Value| **value != Value::Bool(false);
        let named = token.claims.get(claim).filter(is_there);
        match named.or_else(|| token.header.get(claim).filter(is_there)) {
            None => {
                let text = format!("No mandatory '{claim}' in claims");
                Err(Refusal::Message(text))
            }
            Some(Value::String(name)) if name.is_empty() => {
                Err(Refusal::Message(format!("Invalid '{claim}' in claims")))
            }
            Some(Value::String(name)) => Ok(name),
            // Compat: what is no text fails the request.
            Some(_) => Err(Refusal::Failure),
        }
    }

    fn verify(&self, token: &Token<'_>, credential: &CredentialEntry) -> Result<(), Refusal> {
        let key: Option<&Key> = auth::prepared(credential);
        let key = key.ok_or_else(|| message("Invalid key/secret"))?;
        if key.algorithm != token.algorithm() {
            return Err(message("Invalid algorithm"));
        }
        match key.verify(token.signed, &token.signature, self.config.secret_is_base64) {
            Verified::Good => Ok(()),
            Verified::Bad => Err(message("Invalid signature")),
            Verified::NoKey => Err(message("Invalid key/secret")),
        }
    }

    fn check_times(&self, token: &Token<'_>, now_ms: u64) -> Result<(), Refusal> {
        let now = f64::from(u32::try_from(now_ms / 1000).unwrap_or(u32::MAX));
        let faults = token.time_faults(&self.config.claims_to_verify, now);
        if !faults.is_empty() {
            return Err(Refusal::Claims(Value::Object(faults)));
        }
        let most = self.config.maximum_expiration;
        let expires = token.claims.get("exp").and_then(Value::as_f64);
        if most > 0.0 && expires.is_some_and(|expires| expires - now > most) {
            let fault = json!({"exp": "exceeds maximum allowed expiration"});
            return Err(Refusal::Claims(fault));
        }
        Ok(())
    }

    /// Compat: these answers are plain JSON, whatever the client accepts.
    fn reply(&self, refusal: Refusal) -> Reply {
        let (body, challenge) = match refusal {
            Refusal::Failure => return Reply::failure(),
            Refusal::Nothing => (json!({"message": "Unauthorized"}), &self.plain),
            Refusal::Message(text) => (json!({ "message": text }), &self.invalid),
            Refusal::Claims(faults) => (faults, &self.invalid),
        };
        Reply::with_body(401, ReplyBody::Raw(Bytes::from(body.to_string())))
            .header("Content-Type", "application/json; charset=utf-8")
            .header("WWW-Authenticate", challenge.clone())
    }
}

fn message(text: &str) -> Refusal {
    Refusal::Message(text.to_owned())
}

impl Handler for Jwt {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        if !self.config.run_on_preflight && exchange.method() == b"OPTIONS" {
            return Step::CONTINUE;
        }
        let anonymous = self.config.anonymous.as_ref();
        if auth::is_proved(exchange, anonymous) {
            return Step::CONTINUE;
        }
        match self.authenticate(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(Refusal::Failure) => Step::respond(Reply::failure()),
            Err(refusal) => auth::refuse(exchange, anonymous, || self.reply(refusal)),
        }
    }
}
