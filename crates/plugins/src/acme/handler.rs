//! `acme` at work: which certificate a client is shown, and what an authority is answered.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Hello, PluginInput, Reply, ReplyBody, Scheme,
    Step, Verdict,
};

use super::config::{Config, storage};
use super::keeper::{Instance, Keeper};
use super::storage::challenge;
use crate::outcall::Trust;

/// Where authorities ask.
const PREFIX: &[u8] = b"/.well-known/acme-challenge/";

/// Limit: longest token that is looked for, in bytes.
const TOKEN_MAX: usize = 128;

/// Limit: longest name of a host, in bytes.
const HOST_MAX: usize = 253;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let storage = storage(&config.storage_name, input.config, context)?;
    let instance = Arc::new(Instance {
        config,
        storage,
        trust: context.shared.get::<Trust>(),
    });
    let keeper = context.shared.get::<Keeper>();
    let served = keeper.serve(&instance);
    served.map_err(|error| BuildError::Config {
        field: "storage".to_owned(),
        reason: format!("no thread for it: {error}"),
    })?;
    Ok(Arc::new(Acme { instance, keeper }))
}

struct Acme {
    instance: Arc<Instance>,
    keeper: Arc<Keeper>,
}

/// A name as it is compared, without its port; nothing for one that is no name of a host.
fn host(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let name = match name.split_once(':') {
        Some((name, _)) => name,
        None => name,
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_good = !name.is_empty() && name.len() <= HOST_MAX && name.bytes().all(is_name);
    is_good.then(|| name.to_ascii_lowercase())
}

impl Acme {
    fn allows(&self, name: &[u8]) -> Option<String> {
        host(name).filter(|host| self.instance.config.hosts.allow(host))
    }

    async fn answer(&self, token: &str) -> Reply {
        let found = match self.instance.storage.get(&challenge(token)).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "a challenge cannot be looked up");
                None
            }
        };
        let (status, text) = match found {
            Some(text) => (200, format!("{text}\n")),
            None => (404, "Not found\n".to_owned()),
        };
        let body = ReplyBody::Raw(Bytes::from(text));
        Reply::with_body(status, body).header("Content-Type", "text/plain")
    }
}

impl Handler for Acme {
    fn certificate(&self, hello: &mut Hello<'_>) {
        let name = hello.server_name.unwrap_or_default();
        let Some(host) = self.allows(name.as_bytes()) else {
            return;
        };
        // RFC 6066 section 3: addresses are not named so.
        if host.parse::<IpAddr>().is_err() {
            hello.certificate = self.keeper.find(&host);
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let Some(token) = exchange.path.strip_prefix(PREFIX) else {
            return Step::CONTINUE;
        };
        let named = exchange.header("host").unwrap_or_default();
        // Authorities ask without TLS.
        if exchange.client.scheme == Scheme::Https || self.allows(named).is_none() {
            return Step::CONTINUE;
        }
        let is_good = !token.is_empty() && token.len() <= TOKEN_MAX;
        let token = std::str::from_utf8(token).ok().filter(|_| is_good);
        let token = token.unwrap_or_default().to_owned();
        Step::Wait(Box::pin(async move {
            Verdict::Respond(Box::new(self.answer(&token).await))
        }))
    }
}
