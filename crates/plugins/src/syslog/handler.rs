//! `syslog` at work.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Courier, Policy};
use crate::record::{self, CustomFields};

/// Where the system's log listens.
const SOCKET: &str = "/dev/log";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let custom = CustomFields::prepare(input.config, &mut context.notices);
    Ok(Arc::new(Syslog::new(config, custom, SOCKET.into())))
}

pub(super) struct Syslog {
    config: Config,
    custom: CustomFields,
    courier: Courier<Vec<u8>>,
}

impl Syslog {
    pub(super) fn new(config: Config, custom: CustomFields, socket: PathBuf) -> Self {
        let deliver = Box::new(move |records: &[Vec<u8>]| {
            let send = |record: &Vec<u8>| {
                let own = UnixDatagram::unbound()?;
                own.send_to(record, &socket).map(drop)
            };
            let sent = records.iter().try_for_each(send);
            sent.map_err(|error| format!("`{}`: {error}", socket.display()))
        });
        Self {
            config,
            custom,
            courier: Courier::new("syslog".to_owned(), Policy::SIMPLE, deliver),
        }
    }
}

impl Handler for Syslog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let Some(severity) = self.config.threshold.of(outcome.status) else {
            return;
        };
        let number = self.config.facility * 8 + severity;
        let mut text = format!("<{number}>kong: ").into_bytes();
        text.extend(record::render(exchange, outcome, &self.custom));
        self.courier.send(text);
    }
}
