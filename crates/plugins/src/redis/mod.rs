//! Redis, as far as plugins need it: scripts and commands over connections that each core keeps.
//!
//! A call runs on the core of its request and never blocks it. A server that cannot be reached is
//! left alone for a moment, so that requests do not queue up before it. Nothing here knows
//! clusters or sentinels: the open-source line has no fields for them.

mod link;
mod reply;
#[cfg(test)]
pub(crate) mod server;
mod settings;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::outcall::Trust;
use link::Link;
pub(crate) use reply::Value;
pub(crate) use settings::Settings;

/// Limit: connections of a core to one server that wait for the next call.
const IDLE_MAX: usize = 64;

/// Limit: calls of a core to one server at the same time.
const BUSY_MAX: usize = 512;

/// How long a server that could not be reached is left alone, milliseconds.
const PAUSE_MS: u64 = 500;

/// How long an idle connection is kept, milliseconds.
///
/// Compat: that of the reference.
const KEEP_MS: u64 = 10_000;

/// Why there is no answer. Holds no key and no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisError {
    /// It was away a moment ago.
    #[error("the server is left alone for a moment: it could not be reached")]
    Away,
    /// Too many calls wait for it already.
    #[error("{BUSY_MAX} calls wait for it already")]
    Busy,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server refused.
    #[error("it answered: {0}")]
    Refused(String),
    /// The answer is not what was asked for.
    #[error("its answer makes no sense")]
    Odd,
}

/// A script, and the name by which a server that has seen it knows it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    text: &'static str,
    name: String,
}

impl Script {
    pub(crate) fn new(text: &'static str) -> Self {
        let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let digits = sum.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Self {
            text,
            name: digits.collect(),
        }
    }
}

/// A server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    trust: Arc<Trust>,
    /// Unix milliseconds until which nobody tries.
    away_until: AtomicU64,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("host", &self.inner.settings.host)
            .finish_non_exhaustive()
    }
}

/// What a core keeps of a server.
#[derive(Default)]
struct Kept {
    idle: Vec<(Link, u64)>,
    busy: usize,
}

thread_local! {
    static KEPT: RefCell<HashMap<String, Kept>> = RefCell::default();
}

/// Counts a call until it ends, however it ends.
struct Busy(String);

impl Busy {
    fn new(place: &str) -> Result<Self, RedisError> {
        KEPT.with_borrow_mut(|kept| {
            let kept = kept.entry(place.to_owned()).or_default();
            if kept.busy >= BUSY_MAX {
                return Err(RedisError::Busy);
            }
            kept.busy += 1;
            Ok(Self(place.to_owned()))
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        KEPT.with_borrow_mut(|kept| {
            if let Some(kept) = kept.get_mut(&self.0) {
                kept.busy = kept.busy.saturating_sub(1);
            }
        });
    }
}

impl Redis {
    pub(crate) fn new(settings: Settings, trust: Arc<Trust>) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                trust,
                away_until: AtomicU64::new(0),
            }),
        }
    }

    /// Tells servers and ways to reach them apart.
    pub(crate) fn place(&self) -> &str {
        &self.inner.settings.place
    }

    /// Runs a script. One that the server has not seen yet is sent along.
    ///
    /// # Errors
    ///
    /// [`RedisError`]; whether it ran is not known then.
    pub(crate) async fn script(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[String],
    ) -> Result<Value, RedisError> {
        let count = keys.len().to_string();
        let rest = keys.iter().chain(arguments).map(String::as_str);
        let command = |verb: &'static str, what: &str| -> Vec<String> {
            let head = [verb, what, &count].map(str::to_owned);
            head.into_iter()
                .chain(rest.clone().map(str::to_owned))
                .collect()
        };
        match self.command(&command("EVALSHA", &script.name)).await {
            Err(RedisError::Refused(text)) if text.starts_with("NOSCRIPT") => {
                self.command(&command("EVAL", script.text)).await
            }
            other => other,
        }
    }

    /// Runs a command.
    ///
    /// # Errors
    ///
    /// [`RedisError`]; whether it ran is not known then.
    pub(crate) async fn command(&self, command: &[String]) -> Result<Value, RedisError> {
        let inner = &*self.inner;
        if clock::unix_millis() < inner.away_until.load(Ordering::Relaxed) {
            return Err(RedisError::Away);
        }
        let _busy = Busy::new(&inner.settings.place)?;
        let call = self.call(command);
        let answer = match tokio::time::timeout(inner.settings.timeout, call).await {
            Ok(answer) => answer,
            Err(_) => Err(RedisError::Timeout),
        };
        if matches!(answer, Err(RedisError::Io(_) | RedisError::Timeout)) {
            let until = clock::unix_millis() + PAUSE_MS;
            inner.away_until.store(until, Ordering::Relaxed);
        }
        answer
    }

    async fn call(&self, command: &[String]) -> Result<Value, RedisError> {
        let inner = &*self.inner;
        let request = link::encode(command);
        if let Some(mut link) = self.take() {
            match link.exchange(&request).await {
                Ok(value) => return self.finish(link, value),
                // It had ended while it was idle; a command that was not read did nothing.
                Err(RedisError::Io(error)) if link::is_stale(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut link = Link::open(&inner.settings, &inner.trust).await?;
        let value = link.exchange(&request).await?;
        self.finish(link, value)
    }

    fn finish(&self, link: Link, value: Value) -> Result<Value, RedisError> {
        let place = &self.inner.settings.place;
        KEPT.with_borrow_mut(|kept| {
            let kept = kept.entry(place.clone()).or_default();
            if kept.idle.len() < IDLE_MAX {
                kept.idle.push((link, clock::unix_millis()));
            }
        });
        match value {
            Value::Error(text) => Err(RedisError::Refused(text)),
            value => Ok(value),
        }
    }

    /// A kept connection.
    fn take(&self) -> Option<Link> {
        let now = clock::unix_millis();
        KEPT.with_borrow_mut(|kept| {
            let kept = kept.get_mut(&self.inner.settings.place)?;
            while let Some((link, since)) = kept.idle.pop() {
                if now.saturating_sub(since) < KEEP_MS {
                    return Some(link);
                }
            }
            None
        })
    }
}
