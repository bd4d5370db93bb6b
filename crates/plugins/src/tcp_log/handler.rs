//! `tcp-log` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Connection, Courier, Policy, Target, milliseconds};
use crate::record::{self, CustomFields};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let place = format!("`{}:{}`", config.host, config.port);
    let name = config.tls_sni.unwrap_or_else(|| config.host.clone());
    let mut connection = Connection::new(Target {
        host: config.host,
        port: config.port,
        tls_name: config.tls.then_some(name),
        timeout: milliseconds(config.timeout),
        keepalive: milliseconds(config.keepalive),
    });
    let deliver = Box::new(move |records: &[Vec<u8>]| {
        let text = records.concat();
        let sent = connection.with(|stream| {
            stream.write_all(&text)?;
            stream.flush()
        });
        sent.map_err(|error| format!("{place}: {error}"))
    });
    Ok(Arc::new(TcpLog {
        custom: CustomFields::prepare(input.config, &mut context.notices),
        courier: Courier::new(format!("tcp-log {}", input.id), Policy::SIMPLE, deliver),
    }))
}

struct TcpLog {
    custom: CustomFields,
    courier: Courier<Vec<u8>>,
}

impl Handler for TcpLog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let mut line = record::render(exchange, outcome, &self.custom);
        line.push(b'\n');
        self.courier.send(line);
    }
}
