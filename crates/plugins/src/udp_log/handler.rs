//! `udp-log` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Courier, Datagrams, Policy};
use crate::record::{self, CustomFields};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let server = Datagrams::new(config.host, config.port);
    let deliver =
        Box::new(move |records: &[Vec<u8>]| server.send(records.iter().map(Vec::as_slice)));
    let name = format!("udp-log {}", input.id);
    Ok(Arc::new(UdpLog {
        custom: CustomFields::prepare(input.config, &mut context.notices),
        courier: Courier::new(name, Policy::SIMPLE, deliver),
    }))
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
