//! `datadog` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::{Config, Metric};
use crate::measures::{self, Consumer, TagStyle, write_line};
use crate::outbox::{Courier, Datagrams, Deliver};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let agent = Datagrams::new(config.host.clone(), config.port);
    let make = || {
        let agent = agent.clone();
        let deliver: Deliver<Vec<u8>> = Box::new(move |entries| {
            let lines = entries
                .iter()
                .flat_map(|entry| entry.split(|byte| *byte == b'\n'));
            agent.send(lines)
        });
        Ok::<_, BuildError>(deliver)
    };
    Ok(Arc::new(Datadog {
        courier: Courier::with(format!("datadog {}", input.id), config.policy, make)?,
        config,
    }))
}

struct Datadog {
    config: Config,
    courier: Courier<Vec<u8>>,
}

impl Datadog {
    fn line(&self, metric: &Metric, exchange: &Exchange<'_>, outcome: &Outcome) -> Option<String> {
        let config = &self.config;
        let value = metric.measure.of(outcome)?.to_string();
        let service = measures::service_name(exchange)?.replace('.', "_");
        let mut tags = vec![
            (config.service_tag.clone(), service),
            (config.status_tag.clone(), outcome.status.to_string()),
        ];
        let consumer = metric.consumer.and_then(|by| {
            let name = measures::consumer_name(exchange, by)?;
            // Compat: an id is told with underscores.
            Some(if by == Consumer::Id {
                name.replace('-', "_")
            } else {
                name
            })
        });
        tags.extend(consumer.map(|name| (config.consumer_tag.clone(), name)));
        tags.extend(metric.tags.iter().map(|tag| (tag.clone(), String::new())));
        let name = format!("{}.{}", config.prefix, metric.measure.stat());
        let tags = Some((TagStyle::DogStatsD, tags.as_slice()));
        Some(write_line(&name, &value, metric.kind, metric.rate, tags))
    }
}

impl Handler for Datadog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        // Compat: requests without a service are not reported.
        let lines = self.config.metrics.iter();
        let lines = lines.filter_map(|metric| self.line(metric, exchange, outcome));
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            self.courier.send(lines.join("\n").into_bytes());
        }
    }
}
