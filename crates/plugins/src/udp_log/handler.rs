//! `udp-log` at work.

use std::net::{ToSocketAddrs, UdpSocket};
use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Courier, Policy};
use crate::record::{self, CustomFields};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let deliver = Box::new(move |records: &[Vec<u8>]| {
        let outcomes = records.iter().map(|record| send(&config, record));
        outcomes.fold(Ok(()), Result::and)
    });
    let name = format!("udp-log {}", input.id);
    Ok(Arc::new(UdpLog {
        custom: CustomFields::prepare(input.config, &mut context.notices),
        courier: Courier::new(name, Policy::SIMPLE, deliver),
    }))
}

/// Sends a record as a datagram.
fn send(config: &Config, record: &[u8]) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("`{}:{}`: {error}", config.host, config.port);
    let mut addresses = (config.host.as_str(), config.port)
        .to_socket_addrs()
        .map_err(fault)?;
    let address = addresses.next().ok_or("the name has no address")?;
    let own = if address.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(own).map_err(fault)?;
    socket.send_to(record, address).map(drop).map_err(fault)
}

struct UdpLog {
    custom: CustomFields,
    courier: Courier<Vec<u8>>,
}

impl Handler for UdpLog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        self.courier
            .send(record::render(exchange, outcome, &self.custom));
    }
}
