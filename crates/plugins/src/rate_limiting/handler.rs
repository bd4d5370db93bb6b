//! `rate-limiting` at work.

use std::sync::Arc;
use std::time::Duration;

use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, PluginInput, Reply, Shares, Step, Verdict,
};
use uuid::Uuid;

use super::counters::{Counters, Usage};
use super::headers;
use super::ledger::{self, Ledger, Ledgers};
use super::period::Period;
use super::remote::{self, Key, Remote, RemoteError};
use super::schema::{Config, LimitBy, Policy};
use super::shared::SharedCounters;

/// How often nodes of one database exchange what they counted.
const DATABASE_INTERVAL: Duration = Duration::from_secs(1);

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let status = status(config.error_code, context);
    Ok(Arc::new(RateLimiting {
        refusal: Reply::message(status, config.error_message.clone()),
        scope: scope(input.route, input.service),
        place: place(&config, context)?,
        config,
    }))
}

/// Where requests are counted.
enum Place {
    /// On this node.
    Node(Arc<Counters>),
    /// On this node, brought together with others now and then.
    Ledger(Arc<Ledger>),
    /// Elsewhere, for every request.
    Remote(Remote),
    /// On this node, as far as the control plane granted.
    Shared {
        counters: Arc<SharedCounters>,
        source: Arc<Shares>,
    },
}

fn place(config: &Config, context: &BuildContext<'_>) -> Result<Place, BuildError> {
    let remote = match config.policy {
        Policy::Local => return Ok(Place::Node(context.shared.get::<Counters>())),
        Policy::Shared => {
            return Ok(Place::Shared {
                counters: context.shared.get(),
                source: context.shared.get(),
            });
        }
        Policy::Cluster => remote::database(context)?,
        Policy::Redis => remote::redis(config.redis.as_ref(), context)?,
    };
    let interval = match config.policy {
        Policy::Cluster => Some(DATABASE_INTERVAL),
        _ => config.sync_rate,
    };
    Ok(match interval {
        Some(interval) => {
            let ledgers = context.shared.get::<Ledgers>();
            Place::Ledger(ledgers.open(&remote, interval))
        }
        None => Place::Remote(remote),
    })
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
    place: Place,
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

impl RateLimiting {
    /// Tells the client and decides.
    fn finish(&self, usage: &Usage, exchange: &mut Exchange<'_>) -> Verdict {
        if !self.config.hide_client_headers {
            let edits = &mut exchange.response.headers;
            headers::write(edits, &self.config.limits, usage, exchange.now_ms);
        }
        match usage.exceeded {
            None => Verdict::Continue,
            Some(_) => Verdict::Respond(Box::new(self.refusal.clone())),
        }
    }

    /// Counting failed.
    ///
    /// Compat: who tolerates it lets the request pass and tells nothing.
    fn failed(&self, error: &RemoteError) -> Verdict {
        tracing::debug!(%error, "a request could not be counted");
        if self.config.is_fault_tolerant {
            return Verdict::Continue;
        }
        Verdict::Respond(Box::new(Reply::failure()))
    }

    /// Counts elsewhere.
    ///
    /// Compat: a refused request is counted too.
    async fn ask(&self, remote: &Remote, caller: &[u8], now_ms: u64) -> Result<Usage, RemoteError> {
        let limits = &self.config.limits;
        let of = |(period, _): &(Period, f64)| {
            ledger::key(&self.scope, caller, *period, period.start_ms(now_ms))
        };
        let keys: Vec<Key> = limits.iter().map(of).collect();
        let held = remote.take(&keys).await?;
        Ok(Usage::of(limits, &held))
    }

    /// Counts on this node once it is known what others counted.
    async fn learn(
        &self,
        ledger: &Ledger,
        caller: &[u8],
        now_ms: u64,
    ) -> Result<Option<Usage>, RemoteError> {
        let limits = &self.config.limits;
        ledger.learn(&self.scope, caller, limits, now_ms).await?;
        Ok(ledger.take(&self.scope, caller, limits, now_ms))
    }
}

impl Handler for RateLimiting {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let (limits, now_ms) = (&self.config.limits, exchange.now_ms);
        let caller = self.caller(exchange);
        let usage = match &self.place {
            Place::Node(counters) => counters.take(&self.scope, caller, limits, now_ms),
            Place::Ledger(ledger) => match ledger.take(&self.scope, caller, limits, now_ms) {
                Some(usage) => usage,
                None => {
                    let caller = caller.to_vec();
                    return Step::Wait(Box::pin(async move {
                        match self.learn(ledger, &caller, now_ms).await {
                            Ok(Some(usage)) => self.finish(&usage, exchange),
                            // Its window ended meanwhile.
                            Ok(None) => Verdict::Continue,
                            Err(error) => self.failed(&error),
                        }
                    }));
                }
            },
            Place::Shared { counters, source } => {
                let (caller, source) = (caller.to_vec(), source.get());
                return Step::Wait(Box::pin(async move {
                    let whose = (&self.scope, &caller[..]);
                    let usage = counters.take(source.as_ref(), whose, limits, now_ms).await;
                    self.finish(&usage, exchange)
                }));
            }
            Place::Remote(remote) => {
                let caller = caller.to_vec();
                return Step::Wait(Box::pin(async move {
                    match self.ask(remote, &caller, now_ms).await {
                        Ok(usage) => self.finish(&usage, exchange),
                        Err(error) => self.failed(&error),
                    }
                }));
            }
        };
        Step::Done(self.finish(&usage, exchange))
    }
}
