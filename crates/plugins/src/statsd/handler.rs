//! `statsd` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::{Config, Metric, ServiceNaming};
use super::sender::Sender;
use crate::measures::{self, Measure, TagStyle, write_line};
use crate::outbox::{Courier, Deliver};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    // Compat: a dot would begin another level of the metric's name.
    let hostname = context.node.hostname.replace('.', "_");
    let mut prefix = config.prefix.clone();
    if config.hostname_in_prefix && config.tag_style.is_none() {
        prefix = format!("{prefix}.node.{hostname}");
    }
    let make = || {
        let mut sender = Sender::new(&config);
        let deliver: Deliver<Vec<u8>> = Box::new(move |entries| sender.send(entries));
        Ok::<_, BuildError>(deliver)
    };
    Ok(Arc::new(StatsD {
        courier: Courier::with(format!("statsd {}", input.id), config.policy, make)?,
        prefix,
        hostname,
        config,
    }))
}

struct StatsD {
    config: Config,
    prefix: String,
    hostname: String,
    courier: Courier<Vec<u8>>,
}

impl StatsD {
    /// Whether answers of this status are reported.
    fn reports(&self, status: u16) -> bool {
        let ranges = &self.config.statuses;
        ranges
            .as_ref()
            .is_none_or(|ranges| ranges.iter().any(|range| range.contains(&status)))
    }

    fn service(exchange: &Exchange<'_>, by: ServiceNaming) -> Option<String> {
        let service = exchange.service?;
        let name = match by {
            ServiceNaming::Id => &service.id_text,
            ServiceNaming::Name => service.name.as_ref()?,
            ServiceNaming::Host => &service.host,
            ServiceNaming::NameOrHost => return measures::service_name(exchange),
        };
        Some(measures::text(name))
    }

    /// Compat: requests without a service have a place of their own.
    fn scope(exchange: &Exchange<'_>, by: ServiceNaming) -> String {
        match (exchange.service, Self::service(exchange, by)) {
            (None, _) => "global.unmatched".to_owned(),
            (Some(_), None) => "service.unnamed".to_owned(),
            (Some(_), Some(name)) => format!("service.{}", name.replace('.', "_")),
        }
    }

    /// The line of a metric that has tags instead of a long name.
    fn tagged(
        &self,
        metric: &Metric,
        style: TagStyle,
        (exchange, outcome): (&Exchange<'_>, &Outcome),
    ) -> Option<String> {
        // Compat: metrics that name a caller or a status in their own name are left out.
        let measure = Measure::named(&metric.name)?;
        let value = measure.of(outcome)?.to_string();
        let name = format!("{}.{}", self.prefix, measure.stat());
        let service = Self::service(exchange, metric.service);
        let tags = service.map(|service| {
            let mut tags = vec![("service".to_owned(), service)];
            let mut push = |name: &str, value: Option<String>| {
                tags.extend(value.map(|value| (name.to_owned(), value)));
            };
            push("route", measures::route_name(exchange));
            push("workspace", Some(metric.workspace.clone()));
            let consumer = measures::consumer_name(exchange, metric.consumer);
            push("consumer", consumer);
            push("node", Some(self.hostname.clone()));
            push("status", Some(outcome.status.to_string()));
            tags
        });
        let tags = tags.as_ref().map(|tags| (style, tags.as_slice()));
        Some(write_line(&name, &value, metric.kind, metric.rate, tags))
    }

    /// The line of a metric whose name says everything.
    fn named(&self, metric: &Metric, exchange: &Exchange<'_>, outcome: &Outcome) -> Option<String> {
        let scope = Self::scope(exchange, metric.service);
        let user = || measures::consumer_name(exchange, metric.consumer);
        let status = outcome.status;
        let prefix = &self.prefix;
        let count = |name: String| Some((name, "1".to_owned(), "c", metric.rate));
        let (name, value, kind, rate) = match metric.name.as_str() {
            "unique_users" => Some((format!("{scope}.user.uniques"), user()?, "s", None)),
            "request_per_user" => count(format!("{scope}.user.{}.request.count", user()?)),
            "status_count" => count(format!("{scope}.status.{status}")),
            "status_count_per_user" => count(format!("{scope}.user.{}.status.{status}", user()?)),
            "status_count_per_workspace" => count(format!(
                "{scope}.workspace.{}.status.{status}",
                metric.workspace
            )),
            "status_count_per_user_per_route" => {
                let route = measures::text(&exchange.route?.id_text);
                count(format!("route.{route}.user.{}.status.{status}", user()?))
            }
            name => {
                let measure = Measure::named(name)?;
                let value = measure.of(outcome)?.to_string();
                Some((
                    format!("{scope}.{}", measure.stat()),
                    value,
                    metric.kind,
                    metric.rate,
                ))
            }
        }?;
        Some(write_line(
            &format!("{prefix}.{name}"),
            &value,
            kind,
            rate,
            None,
        ))
    }
}

impl Handler for StatsD {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        if !self.reports(outcome.status) {
            return;
        }
        let line = |metric: &Metric| match self.config.tag_style {
            Some(style) => self.tagged(metric, style, (exchange, outcome)),
            None => self.named(metric, exchange, outcome),
        };
        let lines: Vec<String> = self.config.metrics.iter().filter_map(line).collect();
        if !lines.is_empty() {
            self.courier.send(lines.join("\n").into_bytes());
        }
    }
}
