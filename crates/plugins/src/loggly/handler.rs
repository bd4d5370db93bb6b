//! `loggly` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Courier, Datagrams, Policy};
use crate::record::{self, CustomFields};
use crate::records::logs::Threshold;

/// Number of the facility `user`.
const FACILITY: u8 = 1;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let server = Datagrams::new(config.host.clone(), config.port);
    let deliver =
        Box::new(move |records: &[Vec<u8>]| server.send(records.iter().map(Vec::as_slice)));
    Ok(Arc::new(Loggly {
        head: head(&config, &context.node.hostname),
        threshold: config.threshold,
        custom: CustomFields::prepare(input.config, &mut context.notices),
        courier: Courier::new(format!("loggly {}", input.id), Policy::SIMPLE, deliver),
    }))
}

/// What stands between the time and the record: machine, program, token and tags.
///
/// Compat: 41058 is the number that Loggly is known by.
fn head(config: &Config, hostname: &str) -> String {
    let tags: Vec<String> = config
        .tags
        .iter()
        .map(|tag| format!("tag=\"{tag}\""))
        .collect();
    format!(
        "{hostname} kong - - [{}@41058 {}] ",
        config.key,
        tags.join(" ")
    )
}

struct Loggly {
    /// Holds the token: a secret.
    head: String,
    threshold: Threshold,
    custom: CustomFields,
    courier: Courier<Vec<u8>>,
}

impl Handler for Loggly {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let Some(severity) = self.threshold.of(outcome.status) else {
            return;
        };
        let number = FACILITY * 8 + severity;
        // Compat: seconds, without their fraction.
        let time = clock::rfc3339_millis(outcome.ended_us / 1000);
        let time = time.split('.').next().unwrap_or_default();
        let mut text = format!("<{number}>1 {time}Z {}", self.head).into_bytes();
        text.extend(record::render(exchange, outcome, &self.custom));
        self.courier.send(text);
    }
}
