//! `ip-restriction` at work.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, Preread, Reply, Step};

use super::network::Network;
use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    if !(100..=599).contains(&config.status) {
        return Err(BuildError::Config {
            field: "status".to_owned(),
            reason: "give a status from 100 to 599".to_owned(),
        });
    }
    Ok(Arc::new(IpRestriction {
        allow: networks("allow", &config.allow)?,
        deny: networks("deny", &config.deny)?,
        status: config.status,
        message: config.message.map(Bytes::from),
    }))
}

fn networks(field: &str, list: &[String]) -> Result<Vec<Network>, BuildError> {
    let parse = |text: &String| {
        Network::parse(text).ok_or_else(|| BuildError::Config {
            field: field.to_owned(),
            reason: format!("`{text}` is no address or network"),
        })
    };
    list.iter().map(parse).collect()
}

struct IpRestriction {
    allow: Vec<Network>,
    deny: Vec<Network>,
    status: u16,
    message: Option<Bytes>,
}

impl IpRestriction {
    fn refuses(&self, address: IpAddr) -> bool {
        let is_in = |list: &[Network]| list.iter().any(|network| network.contains(address));
        is_in(&self.deny) || (!self.allow.is_empty() && !is_in(&self.allow))
    }
}

impl Handler for IpRestriction {
    fn preread(&self, session: &mut Preread<'_>) {
        session.is_refused |= self.refuses(session.client.ip);
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let client = exchange.client;
        if !self.refuses(client.ip) {
            return Step::CONTINUE;
        }
        let message = self.message.clone().unwrap_or_else(|| {
            let mut text = b"IP address not allowed: ".to_vec();
            text.extend_from_slice(&client.ip_text);
            Bytes::from(text)
        });
        Step::respond(Reply::message(self.status, message))
    }
}
