//! `oauth2` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialSlot, Database, Exchange, Handler, Needs, PluginInput,
    Reply, Step, Verdict,
};
use uuid::Uuid;

use super::answer::{self, Problem};
use super::issue::Issuer;
use super::parameters::{self, Parameters};
use super::schema::Config;
use super::token::{Application, Token};
use super::{authorize, grants};
use crate::auth;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    if context.node.database.is_none() {
        context.notices.push(
            "this node has no database: it checks the tokens that its configuration holds and \
             can give none"
                .to_owned(),
        );
    }
    Ok(Arc::new(Oauth2 {
        applications: context.credential_slot_by(super::APPLICATIONS, "client_id")?,
        applications_by_id: context.credential_slot_by(super::APPLICATIONS, "id")?,
        tokens: context.credential_slot(super::TOKENS)?,
        database: context.node.database.clone(),
        plugin: input.id,
        config,
    }))
}

struct Oauth2 {
    config: Config,
    plugin: Uuid,
    applications: CredentialSlot,
    applications_by_id: CredentialSlot,
    tokens: CredentialSlot,
    database: Option<Arc<dyn Database>>,
}

/// The places that the plugin answers itself.
#[derive(Clone, Copy)]
enum Endpoint {
    Authorize,
    Token,
}

impl Endpoint {
    fn of(path: &[u8]) -> Option<Self> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if path.ends_with(b"/oauth2/token") {
            return Some(Self::Token);
        }
        path.ends_with(b"/oauth2/authorize")
            .then_some(Self::Authorize)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorization",
            Self::Token => "token",
        }
    }
}

const NOT_VALID: &str = "The access token is invalid or has expired";

impl Oauth2 {
    async fn serve(&self, endpoint: Endpoint, exchange: &Exchange<'_>) -> Reply {
        let service = exchange.service.map(|service| service.id);
        let issuer = self.database.as_ref().map(|database| Issuer {
            config: &self.config,
            database,
            plugin: self.plugin,
            service: service.filter(|_| !self.config.global_credentials),
            now_ms: exchange.now_ms,
        });
        let issuer = issuer.as_ref();
        let (config, applications) = (&self.config, self.applications);
        match endpoint {
            Endpoint::Authorize => authorize::answer(config, applications, issuer, exchange).await,
            Endpoint::Token => grants::answer(config, applications, issuer, exchange).await,
        }
    }

    /// What is shown as a token, which is then taken out if it is to be hidden.
    fn shown(&self, exchange: &mut Exchange<'_>) -> Option<String> {
        let name = &self.config.auth_header_name;
        let header = exchange.header(name);
        let header = header.map(|value| String::from_utf8_lossy(value).into_owned());
        let Some(header) = header else {
            let shown = Parameters::of(exchange).get("access_token")?.to_owned();
            if self.config.hide_credentials {
                parameters::hide(exchange, "access_token");
            }
            return Some(shown);
        };
        let words: Vec<&str> = header.split_whitespace().collect();
        match words.as_slice() {
            [scheme, token]
                if scheme.eq_ignore_ascii_case("bearer")
                    || scheme.eq_ignore_ascii_case("token") =>
            {
                let token = (*token).to_owned();
                if self.config.hide_credentials {
                    let name = Bytes::copy_from_slice(name.as_bytes());
                    exchange.request.headers.remove(name);
                }
                Some(token)
            }
            // Compat: what names no known scheme is taken for a token as a whole.
            _ => Some(header),
        }
    }

    /// Makes the owner of a token the caller, or says why not.
    fn admit(&self, token: Option<&Token>, exchange: &mut Exchange<'_>) -> Result<(), Problem> {
        let bad = || Problem::new("invalid_token", NOT_VALID);
        let token = token.ok_or_else(bad)?;
        match token.service {
            None if !self.config.global_credentials => {
                return Err(Problem::new(
                    "invalid_token",
                    "The access token is global, but the current plugin is configured without \
                     'global_credentials'",
                ));
            }
            Some(own) if exchange.service.map(|service| service.id) != Some(own) => {
                return Err(bad());
            }
            _ => {}
        }
        if token.is_over(exchange.now_ms) {
            return Err(bad());
        }
        let id = token.application.to_string();
        let lookups = exchange.lookups;
        let entry = lookups.credential(self.applications_by_id, id.as_bytes(), exchange.now_ms);
        let entry = entry.ok_or_else(bad)?;
        let application: &Application = auth::prepared(entry).ok_or_else(bad)?;
        let identifier = Bytes::copy_from_slice(application.client_id.as_bytes());
        auth::set_consumer(exchange, entry, identifier);
        let headers = &mut exchange.request.headers;
        for (name, value) in [
            ("X-Authenticated-Scope", &token.scope),
            ("X-Authenticated-UserId", &token.user),
        ] {
            match value {
                Some(value) => headers.set(name, Bytes::copy_from_slice(value.as_bytes())),
                None => headers.remove(name),
            }
        }
        Ok(())
    }

    fn refuse(&self, status: u16, problem: &Problem, exchange: &mut Exchange<'_>) -> Step<'static> {
        let realm = self.config.realm.as_ref();
        let challenge = match problem.error {
            "invalid_request" => answer::challenge(realm, None),
            // Compat: the header names one text for all that is wrong with a token.
            "invalid_token" => answer::challenge(realm, Some(("invalid_token", NOT_VALID))),
            error => answer::challenge(realm, Some((error, &problem.description))),
        };
        auth::refuse(exchange, self.config.anonymous.as_ref(), || {
            answer::refusal(status, problem, challenge)
        })
    }

    fn finish(&self, token: Option<&Token>, exchange: &mut Exchange<'_>) -> Step<'static> {
        match self.admit(token, exchange) {
            Ok(()) => Step::CONTINUE,
            Err(problem) => self.refuse(401, &problem, exchange),
        }
    }

    /// Looks in the database for a token that came after the configuration.
    async fn look(&self, shown: String, exchange: &mut Exchange<'_>) -> Verdict {
        let Some(database) = &self.database else {
            return Verdict::Respond(Box::new(Reply::failure()));
        };
        let row = match database.find(super::TOKENS, "access_token", shown).await {
            Ok(row) => row,
            Err(error) => {
                tracing::debug!(plugin = %self.plugin, %error, "a token cannot be looked up");
                return Verdict::Respond(Box::new(Reply::failure()));
            }
        };
        let token = row.as_ref().and_then(Token::read);
        match self.finish(token.as_ref(), exchange) {
            Step::Done(verdict) => verdict,
            Step::Wait(_) => Verdict::Continue,
        }
    }
}

impl Handler for Oauth2 {
    fn needs(&self) -> Needs {
        Needs::FORM_REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        if auth::is_proved(exchange, self.config.anonymous.as_ref()) {
            return Step::CONTINUE;
        }
        if let Some(endpoint) = Endpoint::of(exchange.path) {
            let method = exchange.method();
            if method == b"POST" {
                return Step::Wait(Box::pin(async move {
                    Verdict::Respond(Box::new(self.serve(endpoint, exchange).await))
                }));
            }
            let method = String::from_utf8_lossy(method);
            let text = format!(
                "The HTTP method {method} is invalid for the {} endpoint",
                endpoint.name()
            );
            let problem = Problem::new("invalid_method", text);
            return self.refuse(405, &problem, exchange);
        }
        let Some(shown) = self.shown(exchange) else {
            let problem = Problem::new("invalid_request", "The access token is missing");
            return self.refuse(401, &problem, exchange);
        };
        let lookups = exchange.lookups;
        let known = lookups.credential(self.tokens, shown.as_bytes(), exchange.now_ms);
        if known.is_none() && self.database.is_some() {
            return Step::Wait(Box::pin(self.look(shown, exchange)));
        }
        self.finish(known.and_then(auth::prepared), exchange)
    }
}
