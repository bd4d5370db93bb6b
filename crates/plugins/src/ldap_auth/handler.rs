//! `ldap-auth` at work.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialInfo, Exchange, Handler, PluginInput, Reply, Step, Verdict,
};
use uuid::Uuid;

use super::connection::{Answer, Security, Server};
use super::memory::Memory;
use super::schema::Config;
use crate::auth;
use crate::outbox::milliseconds;
use crate::outcall::{Trust, Verify};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let verify = match config.verifies {
        true => Verify::Yes,
        false => Verify::No,
    };
    // Compat: the usual scheme is told in capitals, any other as it is written.
    let scheme = match config.header_type.as_str() {
        "ldap" => "LDAP",
        other => other,
    };
    let realm = config.realm.as_ref();
    let realm = realm.map_or_else(String::new, |realm| format!(" realm=\"{realm}\""));
    Ok(Arc::new(LdapAuth {
        id: input.id,
        server: Server {
            host: config.host.clone(),
            port: config.port,
            security: match (config.ldaps, config.start_tls) {
                (true, _) => Security::Tls(verify),
                (false, true) => Security::StartTls(verify),
                (false, false) => Security::None,
            },
        },
        challenge: format!("{scheme}{realm}").into(),
        memory: Memory::new(config.cache_ttl),
        trust: context.shared.get::<Trust>(),
        config,
    }))
}

struct LdapAuth {
    id: Uuid,
    config: Config,
    server: Server,
    /// Value of `WWW-Authenticate` in a refusal.
    challenge: Bytes,
    memory: Memory,
    trust: Arc<Trust>,
}

/// What a request shows.
struct Shown {
    name: String,
    password: String,
}

impl Shown {
    /// Reads `SCHEME base64(name:password)`. Without a name or a password there is nothing to
    /// prove: many servers take an empty password for a caller who wants no proof.
    fn parse(header: &[u8], scheme: &str) -> Option<Self> {
        let (own, rest) = header.split_at_checked(scheme.len())?;
        if !own.eq_ignore_ascii_case(scheme.as_bytes()) || !rest.first()?.is_ascii_whitespace() {
            return None;
        }
        let pair = STANDARD.decode(rest.trim_ascii()).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (name, password) = pair.split_once(':')?;
        let is_whole = !name.is_empty() && !password.is_empty();
        is_whole.then(|| Self {
            name: name.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// A value inside a distinguished name (RFC 4514): no name can reach another part of it.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.len() - value.chars().next_back().map_or(0, char::len_utf8);
    for (at, c) in value.char_indices() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' | '#' => {
                out.push('\\');
                out.push(c);
            }
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            c if c.is_ascii_control() => out.push_str(&format!("\\{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

impl LdapAuth {
    fn refuse(&self, exchange: &mut Exchange<'_>) -> Step<'static> {
        auth::refuse(exchange, self.config.anonymous.as_ref(), || {
            Reply::message(401, "Unauthorized").header("WWW-Authenticate", self.challenge.clone())
        })
    }

    fn finish(&self, answer: Answer, shown: &Shown, exchange: &mut Exchange<'_>) -> Step<'static> {
        if answer == Answer::Bad {
            return self.refuse(exchange);
        }
        let identifier = Bytes::copy_from_slice(shown.name.as_bytes());
        // Compat: nobody's consumer; what a client says of one is taken out.
        let headers = &mut exchange.request.headers;
        for name in [
            "X-Consumer-ID",
            "X-Consumer-Custom-ID",
            "X-Consumer-Username",
            "X-Anonymous-Consumer",
        ] {
            headers.remove(name);
        }
        headers.set("X-Credential-Identifier", identifier.clone());
        exchange.identity.consumer = None;
        exchange.identity.credential = Some(CredentialInfo {
            id: Uuid::nil(),
            id_text: identifier.clone(),
            identifier,
            prepared: None,
        });
        Step::CONTINUE
    }

    async fn ask(&self, shown: Shown, exchange: &mut Exchange<'_>) -> Verdict {
        let (attribute, base) = (&self.config.attribute, &self.config.base_dn);
        let name = format!("{attribute}={},{base}", escape(&shown.name));
        let times = (
            milliseconds(self.config.timeout),
            milliseconds(self.config.keepalive),
        );
        let pair = (name.as_str(), shown.password.as_str());
        let answer = match self.server.bind(&self.trust, pair, times).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(plugin = %self.id, %error, "the LDAP server gave no verdict");
                return Verdict::Respond(Box::new(Reply::failure()));
            }
        };
        let now = exchange.now_ms;
        self.memory.keep(&shown.name, &shown.password, answer, now);
        match self.finish(answer, &shown, exchange) {
            Step::Done(verdict) => verdict,
            Step::Wait(_) => Verdict::Continue,
        }
    }
}

impl Handler for LdapAuth {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        if auth::is_proved(exchange, self.config.anonymous.as_ref()) {
            return Step::CONTINUE;
        }
        let (scheme, hides) = (&self.config.header_type, self.config.hide_credentials);
        let shown = auth::shown(exchange, hides, |header| Shown::parse(header, scheme));
        let Some(shown) = shown else {
            return self.refuse(exchange);
        };
        let known = self
            .memory
            .recall(&shown.name, &shown.password, exchange.now_ms);
        match known {
            Some(answer) => self.finish(answer, &shown, exchange),
            None => Step::Wait(Box::pin(self.ask(shown, exchange))),
        }
    }
}
