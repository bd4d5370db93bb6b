//! `rate-limiting` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, Reply, Step};
use uuid::Uuid;

use super::counters::Counters;
use super::headers;
use super::schema::{Config, LimitBy, Policy};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    check_policy(config.policy, context)?;
    let status = status(config.error_code, context);
    Ok(Arc::new(RateLimiting {
        refusal: Reply::message(status, config.error_message.clone()),
        scope: scope(input.route, input.service),
        counters: context.shared.get::<Counters>(),
        config,
    }))
}

/// Compat: a node without a database knows no `cluster` policy and refuses the configuration.
fn check_policy(policy: Policy, context: &mut BuildContext<'_>) -> Result<(), BuildError> {
    match policy {
        Policy::Local => Ok(()),
        Policy::Cluster => Err(BuildError::Config {
            field: "policy".to_owned(),
            reason: "expected one of: local, redis; `cluster` counts in a database, which this \
                     node does not have"
                .to_owned(),
        }),
        Policy::Redis => {
            context.notices.push(
                "`config.policy: redis` is not supported yet: requests are counted on each node \
                 by itself, as with `local`; divide the limits by the number of nodes if they \
                 must hold for all together"
                    .to_owned(),
            );
            Ok(())
        }
    }
}

fn status(error_code: f64, context: &mut BuildContext<'_>) -> u16 {
    let usable = (200..600).find(|status| (f64::from(*status) - error_code).abs() < 1.0);
    usable.unwrap_or_else(|| {
        context.notices.push(format!(
            "`config.error_code: {error_code}` is no status of an answer: 429 is used"
        ));
        429
    })
}

/// Keeps the counters of instances apart.
///
/// Compat: by route and service of the instance, zero where it has none.
fn scope(route: Option<Uuid>, service: Option<Uuid>) -> [u8; 32] {
    let mut scope = [0; 32];
    scope[..16].copy_from_slice(route.unwrap_or_default().as_bytes());
    scope[16..].copy_from_slice(service.unwrap_or_default().as_bytes());
    scope
}

struct RateLimiting {
    config: Config,
    refusal: Reply,
    scope: [u8; 32],
    counters: Arc<Counters>,
}

impl RateLimiting {
    /// What counts as the caller of a request.
    fn caller<'e>(&'e self, exchange: &'e Exchange<'_>) -> &'e [u8] {
        let credential = || exchange.identity.credential.as_ref();
        let named: Option<&[u8]> = match &self.config.limit_by {
            LimitBy::Consumer => match &exchange.identity.consumer {
                Some(consumer) => Some(consumer.id_text.as_ref()),
                None => credential().map(|credential| credential.id_text.as_ref()),
            },
            LimitBy::Credential => credential().map(|credential| credential.id_text.as_ref()),
            LimitBy::Header(name) => exchange.header(name),
            LimitBy::Ip => None,
            LimitBy::Path(path) => (exchange.path == path.as_bytes()).then_some(exchange.path),
            LimitBy::Service => exchange.service.map(|service| service.id_text.as_ref()),
        };
        named.unwrap_or(&exchange.client.ip_text)
    }
}

impl Handler for RateLimiting {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let caller = self.caller(exchange);
        let limits = &self.config.limits;
        let usage = self
            .counters
            .take(&self.scope, caller, limits, exchange.now_ms);
        if !self.config.hide_client_headers {
            let edits = &mut exchange.response.headers;
            headers::write(edits, limits, &usage, exchange.now_ms);
        }
        match usage.exceeded {
            None => Step::CONTINUE,
            Some(_) => Step::respond(self.refusal.clone()),
        }
    }
}
