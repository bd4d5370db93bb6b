//! The log: one line per event, on standard error.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conf::LogLevel;
use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

/// Changes how much is logged while the process runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogControl {
    inner: Arc<Inner>,
}

struct Inner {
    filter: reload::Handle<Targets, Registry>,
    /// The level that was set at the start.
    configured: LogLevel,
    level: Mutex<LogLevel>,
    /// Counts changes, so that an older one does not end a newer one.
    changes: AtomicU64,
}

impl LogControl {
    /// The level in force.
    pub(crate) fn level(&self) -> LogLevel {
        *self.inner.level.lock()
    }

    /// Sets a level, for a while or until the end.
    pub(crate) fn change(&self, level: LogLevel, time: Option<Duration>) {
        let change = self.inner.changes.fetch_add(1, Ordering::Relaxed) + 1;
        self.set(level);
        let Some(time) = time else { return };
        let control = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if control.inner.changes.load(Ordering::Relaxed) == change {
                control.set(control.inner.configured);
            }
        });
    }

    fn set(&self, level: LogLevel) {
        *self.inner.level.lock() = level;
        if let Err(error) = self.inner.filter.reload(filter(level)) {
            tracing::error!(%error, "the log level cannot be changed");
        }
        tracing::info!(level = level.as_str(), "log level set");
    }
}

/// The level of a name.
pub(crate) fn level_named(name: &str) -> Option<LogLevel> {
    use LogLevel as L;
    let levels = [
        L::Debug,
        L::Info,
        L::Notice,
        L::Warn,
        L::Error,
        L::Crit,
        L::Alert,
        L::Emerg,
    ];
    levels.into_iter().find(|level| level.as_str() == name)
}

/// Other crates than ours are heard from `info` on, so that `debug` shows what the product does.
fn filter(level: LogLevel) -> Targets {
    let ours = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info | LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error | LogLevel::Crit | LogLevel::Alert | LogLevel::Emerg => LevelFilter::ERROR,
    };
    Targets::new()
        .with_default(ours.min(LevelFilter::INFO))
        .with_target("gatehouse", ours)
}

/// Begins to log at `level`.
pub(crate) fn start(level: LogLevel) -> LogControl {
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second call would fail; there is one per process.
    drop(
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init(),
    );
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(%panic, "a bug: please report this");
        earlier(panic);
    }));
    LogControl {
        inner: Arc::new(Inner {
            filter: handle,
            configured: level,
            level: Mutex::new(level),
            changes: AtomicU64::new(0),
        }),
    }
}
