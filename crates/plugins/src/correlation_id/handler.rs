//! `correlation-id` at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, ResponseView, Step};
use uuid::Uuid;

use super::schema::{Config, Generator};
use crate::record;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(CorrelationId {
        header: config.header(),
        config,
        counter: context.shared.get::<Counter>(),
    }))
}

/// Numbers requests over all instances of the node.
///
/// Compat: the reference has one UUID and one counter per worker process; a node here is one
/// process.
struct Counter {
    node: Uuid,
    last: AtomicU64,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            node: clock::new_uuid(),
            last: AtomicU64::new(0),
        }
    }
}

struct CorrelationId {
    config: Config,
    header: Bytes,
    counter: Arc<Counter>,
}

impl CorrelationId {
    /// The id that the request came with; an empty one is none.
    fn brought(&self, exchange: &Exchange<'_>) -> Option<Bytes> {
        let id = exchange.header(&self.config.header_name)?;
        (!id.is_empty()).then(|| Bytes::copy_from_slice(id))
    }

    fn generate(&self, exchange: &Exchange<'_>) -> Bytes {
        let id = match self.config.generator {
            Generator::Uuid => clock::new_uuid().to_string(),
            Generator::UuidCounter => {
                let number = self.counter.last.fetch_add(1, Ordering::Relaxed) + 1;
                format!("{}#{number}", self.counter.node)
            }
            Generator::Tracker => {
                let client = exchange.client;
                format!(
                    "{}-{}-{}-{}-{}-{}.{:03}",
                    client.local.ip(),
                    client.local.port(),
                    std::process::id(),
                    client.connection,
                    client.request,
                    exchange.now_ms / 1000,
                    exchange.now_ms % 1000,
                )
            }
        };
        id.into()
    }
}

/// The id of a request that is echoed, whatever later plugins do to the request's headers.
struct Given(Bytes);

impl Handler for CorrelationId {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let id = self.brought(exchange).unwrap_or_else(|| {
            let id = self.generate(exchange);
            exchange
                .request
                .headers
                .set(self.header.clone(), id.clone());
            id
        });
        let text = String::from_utf8_lossy(&id).into_owned();
        record::add(exchange, "correlation_id", text.into());
        if self.config.echo_downstream {
            exchange.locals.insert(Given(id));
        }
        Step::CONTINUE
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if !self.config.echo_downstream {
            return;
        }
        // Compat: where a plugin before this one ended the request, the answer still gets an id.
        let id = match exchange.locals.get::<Given>() {
            Some(Given(id)) => id.clone(),
            None => self
                .brought(exchange)
                .unwrap_or_else(|| self.generate(exchange)),
        };
        response.headers.set(self.header.clone(), id);
    }
}
