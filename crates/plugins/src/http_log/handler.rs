//! `http-log` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use crate::outbox::{Courier, Deliver, Endpoint, EndpointSettings, milliseconds};
use crate::record::{self, CustomFields};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let make = || sender(&config);
    Ok(Arc::new(HttpLog {
        custom: CustomFields::prepare(input.config, &mut context.notices),
        courier: Courier::with(format!("http-log {}", input.id), config.policy, make)?,
    }))
}

fn sender(config: &Config) -> Result<Deliver<Vec<u8>>, BuildError> {
    let mut endpoint = Endpoint::prepare(&EndpointSettings {
        field: "http_endpoint",
        url: &config.endpoint,
        method: &config.method,
        content_type: &config.content_type,
        headers: &config.headers,
        timeout: milliseconds(config.timeout),
        keepalive: milliseconds(config.keepalive),
    })?;
    let is_batched = config.policy.max_batch > 1;
    Ok(Box::new(move |records: &[Vec<u8>]| {
        endpoint.send(&body(records, is_batched))
    }))
}

/// Compat: a batch is a list; without batches a record is sent as it is.
fn body(records: &[Vec<u8>], is_batched: bool) -> Vec<u8> {
    match records {
        [one] if !is_batched => one.clone(),
        records => {
            let mut list = vec![b'['];
            list.extend_from_slice(&records.join(&b","[..]));
            list.push(b']');
            list
        }
    }
}

struct HttpLog {
    custom: CustomFields,
    courier: Courier<Vec<u8>>,
}

impl Handler for HttpLog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        self.courier
            .send(record::render(exchange, outcome, &self.custom));
    }
}
