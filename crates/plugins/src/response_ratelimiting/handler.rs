//! `response-ratelimiting` at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput, Reply, ResponseView, Step,
    Verdict,
};
use uuid::Uuid;

use super::schema::{Config, LimitBy, Policy};
use crate::rate_limiting::counters::Counters;
use crate::rate_limiting::period::Period;
use crate::rate_limiting::remote::{self, Key, Remote, RemoteError};

/// Limit: costs of an instance on their way to where they are counted.
const UNDER_WAY_MAX: usize = 1024;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let limits = config.limits.iter().map(|(name, periods)| Limit {
        name: name.clone(),
        remaining: format!("X-RateLimit-Remaining-{name}").into(),
        periods: periods.iter().map(|(period, _)| *period).collect(),
        values: periods.iter().map(|(_, limit)| whole(*limit)).collect(),
        headers: periods
            .iter()
            .map(|(period, _)| headers(name, *period))
            .collect(),
    });
    let mut scope = [0; 32];
    scope[..16].copy_from_slice(input.route.unwrap_or_default().as_bytes());
    scope[16..].copy_from_slice(input.service.unwrap_or_default().as_bytes());
    Ok(Arc::new(ResponseRateLimiting {
        id: input.id,
        limits: limits.collect(),
        costs_header: config.header_name.clone().into(),
        scope,
        place: match config.policy {
            Policy::Local => Place::Node(context.shared.get()),
            Policy::Cluster => Place::Remote(remote::database(context)?),
            Policy::Redis => Place::Remote(remote::redis(config.redis.as_ref(), context)?),
        },
        under_way: Arc::default(),
        config,
    }))
}

/// Names of the headers that tell a period's limit and what is left of it.
fn headers(limit: &str, period: Period) -> [Bytes; 2] {
    ["Limit", "Remaining"]
        .map(|what| format!("X-RateLimit-{what}-{limit}-{}", period.field()).into())
}

/// A limit without its fraction.
fn whole(limit: f64) -> u64 {
    format!("{:.0}", limit.floor()).parse().unwrap_or(u64::MAX)
}

/// What was counted by this plugin, apart from what rate-limiting counts.
#[derive(Default)]
struct Costs(Counters);

/// One named limit.
struct Limit {
    name: String,
    /// Name of the header that tells what is left of all periods.
    remaining: Bytes,
    periods: Vec<Period>,
    /// The limits, by period.
    values: Vec<u64>,
    /// What [`headers`] gives, by period.
    headers: Vec<[Bytes; 2]>,
}

struct ResponseRateLimiting {
    id: Uuid,
    config: Config,
    limits: Vec<Limit>,
    /// Name of the header in which the service tells costs.
    costs_header: Bytes,
    scope: [u8; 32],
    place: Place,
    /// Costs on their way.
    under_way: Arc<AtomicUsize>,
}

/// Where costs are counted.
enum Place {
    Node(Arc<Costs>),
    Remote(Remote),
}

/// What is known of a request's limits between its phases.
struct Pending {
    by: Uuid,
    caller: Vec<u8>,
    /// What is left of each limit and period.
    left: Vec<Vec<u64>>,
    /// What the service's answer costs, by limit.
    costs: Vec<u64>,
}

impl ResponseRateLimiting {
    /// What counts as the caller of a request.
    fn caller(&self, exchange: &Exchange<'_>) -> Vec<u8> {
        let credential = || exchange.identity.credential.as_ref().map(|c| &c.id_text);
        let named = match self.config.limit_by {
            LimitBy::Consumer => match &exchange.identity.consumer {
                Some(consumer) => Some(&consumer.id_text),
                None => credential(),
            },
            LimitBy::Credential => credential(),
            LimitBy::Ip => None,
        };
        named.unwrap_or(&exchange.client.ip_text).to_vec()
    }

    fn left(&self, counters: &Costs, caller: &[u8], now_ms: u64) -> Vec<Vec<u64>> {
        let of = |limit: &Limit| {
            let key = key(caller, &limit.name);
            let counts = counters.0.read(&self.scope, &key, &limit.periods, now_ms);
            let pairs = limit.values.iter().zip(counts);
            pairs
                .map(|(value, count)| value.saturating_sub(count))
                .collect()
        };
        self.limits.iter().map(of).collect()
    }

    /// Names of the counters of a limit.
    ///
    /// Compat: the reference's.
    fn keys(&self, caller: &[u8], limit: &Limit, now_ms: u64) -> Vec<Key> {
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
        let (route, service) = (id(&self.scope[..16]), id(&self.scope[16..]));
        let caller = String::from_utf8_lossy(caller);
        let of = |period: &Period| {
            let start_ms = period.start_ms(now_ms);
            let (limit, period_name) = (&limit.name, period.field());
            Key {
                name: format!(
                    "response-ratelimit:{route}:{service}:{caller}:{start_ms}:{limit}:{period_name}"
                ),
                period: *period,
                start_ms,
            }
        };
        limit.periods.iter().map(of).collect()
    }

    /// What is left of each limit and period, counted elsewhere.
    async fn ask(
        &self,
        remote: &Remote,
        caller: &[u8],
        now_ms: u64,
    ) -> Result<Vec<Vec<u64>>, RemoteError> {
        let of = |limit| self.keys(caller, limit, now_ms);
        let keys: Vec<Key> = self.limits.iter().flat_map(of).collect();
        let mut counts = remote.read(&keys).await?.into_iter();
        let of = |limit: &Limit| {
            let values = limit.values.iter();
            values
                .map(|value| value.saturating_sub(counts.next().unwrap_or(0)))
                .collect()
        };
        Ok(self.limits.iter().map(of).collect())
    }

    /// Tells the client and decides.
    fn begin(&self, exchange: &mut Exchange<'_>, caller: Vec<u8>, left: Vec<Vec<u64>>) -> Verdict {
        for (limit, left) in self.limits.iter().zip(&left) {
            let least = left.iter().min().copied().unwrap_or(0);
            if self.config.block_on_first_violation && least == 0 {
                let text = format!("API rate limit exceeded for '{}'", limit.name);
                return Verdict::Respond(Box::new(Reply::message(429, text)));
            }
            let edits = &mut exchange.response.headers;
            edits.set(limit.remaining.clone(), least.to_string());
        }
        exchange.locals.insert(Pending {
            by: self.id,
            caller,
            costs: vec![0; left.len()],
            left,
        });
        Verdict::Continue
    }

    /// Counting failed.
    ///
    /// Compat: who tolerates it lets the request pass and tells nothing.
    fn failed(&self, error: &RemoteError) -> Verdict {
        tracing::debug!(%error, "what is left of limits is not known");
        if self.config.is_fault_tolerant {
            return Verdict::Continue;
        }
        Verdict::Respond(Box::new(Reply::failure()))
    }

    /// Counts costs elsewhere, apart from the request.
    fn send(&self, remote: &Remote, additions: Vec<(Key, u64)>) {
        let (remote, under_way) = (remote.clone(), Arc::clone(&self.under_way));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if under_way.fetch_add(1, Ordering::Relaxed) >= UNDER_WAY_MAX {
            under_way.fetch_sub(1, Ordering::Relaxed);
            return tracing::debug!("costs were not counted: too many are on their way");
        }
        runtime.spawn(async move {
            if let Err(error) = remote.add(&additions).await {
                tracing::debug!(%error, "costs were not counted");
            }
            under_way.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// What a header says that an answer costs: `sms=2, video=1`.
    fn costs(&self, said: &[u8]) -> Vec<u64> {
        let said = String::from_utf8_lossy(said);
        let of = |limit: &Limit| {
            let named = said.split(',').filter_map(|pair| pair.split_once('='));
            let mut own = named.filter(|(name, _)| name.trim() == limit.name);
            own.find_map(|(_, count)| count.trim().parse().ok())
                .unwrap_or(0)
        };
        self.limits.iter().map(of).collect()
    }
}

/// The caller and the limit it is counted for.
fn key(caller: &[u8], name: &str) -> Vec<u8> {
    [caller, b"\0", name.as_bytes()].concat()
}

impl Handler for ResponseRateLimiting {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let caller = self.caller(exchange);
        let now_ms = exchange.now_ms;
        match &self.place {
            Place::Node(counters) => {
                let left = self.left(counters, &caller, now_ms);
                Step::Done(self.begin(exchange, caller, left))
            }
            Place::Remote(remote) => Step::Wait(Box::pin(async move {
                match self.ask(remote, &caller, now_ms).await {
                    Ok(left) => self.begin(exchange, caller, left),
                    Err(error) => self.failed(&error),
                }
            })),
        }
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        let Some(pending) = exchange.locals.get_mut::<Pending>() else {
            return;
        };
        if pending.by != self.id {
            return;
        }
        let name = &self.config.header_name;
        let values: Vec<&[u8]> = response.header_values(name).collect();
        let costs = self.costs(&values.join(&b","[..]));
        response.headers.remove(self.costs_header.clone());
        let mut is_over = false;
        for (at, limit) in self.limits.iter().enumerate() {
            let cost = costs.get(at).copied().unwrap_or(0);
            let left = pending.left.get(at).map_or(&[][..], Vec::as_slice);
            let told = limit.headers.iter().zip(&limit.values).zip(left);
            for (([of_limit, of_remaining], value), left) in told {
                is_over |= cost > 0 && *left == 0;
                if self.config.hide_client_headers {
                    continue;
                }
                let remaining = left.saturating_sub(cost).to_string();
                let edits = &mut *response.headers;
                edits.set(of_limit.clone(), value.to_string());
                edits.set(of_remaining.clone(), remaining);
            }
        }
        if is_over {
            // Compat: the head of the service's answer stays, its body does not.
            response.status = 429;
            response.drops_body = true;
        } else {
            pending.costs = costs;
        }
    }

    fn log(&self, exchange: &mut Exchange<'_>, _outcome: &Outcome) {
        let now_ms = exchange.now_ms;
        let Some(pending) = exchange.locals.get::<Pending>() else {
            return;
        };
        if pending.by != self.id {
            return;
        }
        let costs = self.limits.iter().zip(&pending.costs);
        let costs = costs.filter(|(_, cost)| **cost > 0);
        match &self.place {
            Place::Node(counters) => {
                for (limit, cost) in costs {
                    let key = key(&pending.caller, &limit.name);
                    let counters = &counters.0;
                    counters.add(&self.scope, &key, &limit.periods, (*cost, now_ms));
                }
            }
            Place::Remote(remote) => {
                let additions = costs.flat_map(|(limit, cost)| {
                    let keys = self.keys(&pending.caller, limit, now_ms);
                    keys.into_iter().map(|key| (key, *cost))
                });
                let additions: Vec<(Key, u64)> = additions.collect();
                if !additions.is_empty() {
                    self.send(remote, additions);
                }
            }
        }
    }
}
