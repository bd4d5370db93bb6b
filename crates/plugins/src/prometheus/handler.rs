//! `prometheus` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput, ResponseSource,
};

use super::registry::{Observation, Place, Registry};
use super::schema::Config;
use crate::measures::{Measure, ModelCall};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let registry = context.shared.get::<Registry>();
    registry.watch_if(config.upstream_health, true);
    Ok(Arc::new(Prometheus { config, registry }))
}

struct Prometheus {
    config: Config,
    registry: Arc<Registry>,
}

impl Registry {
    fn watch_if(&self, watches: bool, is_there: bool) {
        if watches {
            self.watch(is_there);
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.registry.watch_if(self.config.upstream_health, false);
    }
}

impl Prometheus {
    fn consumer(&self, exchange: &Exchange<'_>) -> Bytes {
        let consumer = exchange.identity.consumer.as_ref();
        let consumer = consumer.filter(|_| self.config.per_consumer);
        let name = consumer.and_then(|one| one.username.as_ref().or(one.custom_id.as_ref()));
        name.cloned().unwrap_or_default()
    }
}

impl Handler for Prometheus {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let config = &self.config;
        // Compat: a request that no route took is not counted.
        let Some(route) = exchange.route else {
            return;
        };
        let service = exchange.service;
        let service = service.map(|service| service.name.as_ref().unwrap_or(&service.host));
        let place = Place {
            service: service.cloned().unwrap_or_default(),
            route: route.name.as_ref().unwrap_or(&route.id_text).clone(),
        };
        let is_of_service = outcome.source == ResponseSource::Service;
        let time = |measure: Measure| measure.of(outcome);
        let times = || {
            let (request, kong) = (time(Measure::Latency)?, time(Measure::KongLatency)?);
            Some((request, kong, time(Measure::UpstreamLatency)))
        };
        let observed = Observation {
            status: config
                .status_codes
                .then_some((outcome.status, is_of_service)),
            bytes: config
                .bandwidth
                .then_some((outcome.request_bytes, outcome.response_bytes)),
            times: config.latencies.then(times).flatten(),
            model: exchange.locals.get::<ModelCall>().filter(|_| config.ai),
        };
        self.registry
            .observe(place, self.consumer(exchange), &observed);
    }
}
