//! Counters outside this node: in Redis, or in the database that nodes share.

use std::sync::{Arc, LazyLock};

use plugin_api::{Addition, BuildContext, BuildError, Database};

use super::period::Period;
use crate::outcall::Trust;
use crate::redis::{Redis, Script, Settings};

/// Counts one for each key and tells what each held before.
///
/// Compat: the time of a key begins with its first use.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = {}
for at, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then
    redis.call('EXPIRE', key, ARGV[at])
  end
  held[at] = count - 1
end
return held",
    )
});

/// Adds to each key and tells what each holds then; a key ends at the second given with it.
static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = {}
for at, key in ipairs(KEYS) do
  held[at] = redis.call('INCRBY', key, ARGV[2 * at - 1])
  if redis.call('TTL', key) < 0 then
    redis.call('EXPIREAT', key, ARGV[2 * at])
  end
end
return held",
    )
});

/// Why a counter could not be read or changed. Holds no key.
#[derive(Debug, thiserror::Error)]
#[error("counters cannot be reached: {0}")]
pub(crate) struct RemoteError(String);

/// Where counters are.
#[derive(Clone, Debug)]
pub(crate) enum Remote {
    /// In Redis.
    Redis(Redis),
    /// In the node's database.
    Database(Arc<dyn Database>),
}

/// The database of the node.
///
/// Compat: a node without a database knows no `cluster` policy and refuses the configuration.
pub(crate) fn database(context: &BuildContext<'_>) -> Result<Remote, BuildError> {
    let database = context.node.database.clone();
    database
        .map(Remote::Database)
        .ok_or_else(|| BuildError::Config {
            field: "policy".to_owned(),
            reason:
                "expected one of: local, redis; `cluster` counts in a database, which this node \
                 does not have"
                    .to_owned(),
        })
}

/// The Redis of a configuration.
pub(crate) fn redis(
    settings: Option<&Settings>,
    context: &BuildContext<'_>,
) -> Result<Remote, BuildError> {
    let settings = settings.cloned().ok_or_else(|| BuildError::Config {
        field: "redis.host".to_owned(),
        reason: "the policy `redis` needs a host".to_owned(),
    })?;
    let trust = context.shared.get::<Trust>();
    Ok(Remote::Redis(Redis::new(settings, trust)))
}

/// A counter with the period that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Name of the counter.
    pub(crate) name: String,
    pub(crate) period: Period,
    /// Unix milliseconds at which the period began.
    pub(crate) start_ms: u64,
}

impl Key {
    /// Unix second from which nobody needs the counter.
    pub(crate) const fn expires_at(&self) -> u64 {
        self.start_ms / 1000 + self.period.longest_ms() / 1000
    }
}

impl Remote {
    /// Tells places apart.
    pub(crate) fn place(&self) -> &str {
        match self {
            Self::Redis(redis) => redis.place(),
            Self::Database(_) => "database",
        }
    }

    /// Counts one for each key at once, whatever it holds; tells what each held before.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]; whether anything was counted is not known then.
    pub(crate) async fn take(&self, keys: &[Key]) -> Result<Vec<u64>, RemoteError> {
        match self {
            Self::Redis(redis) => {
                let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
                let seconds = keys.iter().map(|key| key.period.seconds().to_string());
                let seconds: Vec<String> = seconds.collect();
                let answer = redis.script(&TAKE, &names, &seconds).await;
                numbers(answer, keys.len())
            }
            Self::Database(_) => {
                let ones: Vec<(Key, u64)> = keys.iter().map(|key| (key.clone(), 1)).collect();
                let held = self.add(&ones).await?;
                Ok(held
                    .into_iter()
                    .map(|count| count.saturating_sub(1))
                    .collect())
            }
        }
    }

    /// What each key holds.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub(crate) async fn read(&self, keys: &[Key]) -> Result<Vec<u64>, RemoteError> {
        match self {
            Self::Redis(redis) => {
                let mut command = vec!["MGET".to_owned()];
                command.extend(keys.iter().map(|key| key.name.clone()));
                numbers(redis.command(&command).await, keys.len())
            }
            Self::Database(_) => {
                let none: Vec<(Key, u64)> = keys.iter().map(|key| (key.clone(), 0)).collect();
                self.add(&none).await
            }
        }
    }

    /// Adds to each key; what each holds then.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]; whether anything was counted is not known then.
    pub(crate) async fn add(&self, additions: &[(Key, u64)]) -> Result<Vec<u64>, RemoteError> {
        match self {
            Self::Redis(redis) => {
                let names: Vec<String> =
                    additions.iter().map(|(key, _)| key.name.clone()).collect();
                let arguments = additions
                    .iter()
                    .flat_map(|(key, by)| [by.to_string(), key.expires_at().to_string()]);
                let arguments: Vec<String> = arguments.collect();
                let answer = redis.script(&ADD, &names, &arguments).await;
                numbers(answer, additions.len())
            }
            Self::Database(database) => {
                let additions = additions.iter().map(|(key, by)| Addition {
                    counter: key.name.clone(),
                    by: *by,
                    expires_at: key.expires_at(),
                });
                let counted = database.count(additions.collect()).await;
                counted.map_err(|error| RemoteError(error.to_string()))
            }
        }
    }
}

fn numbers(
    answer: Result<crate::redis::Value, crate::redis::RedisError>,
    count: usize,
) -> Result<Vec<u64>, RemoteError> {
    let answer = answer.map_err(|error| RemoteError(error.to_string()))?;
    let numbers = answer.numbers().filter(|numbers| numbers.len() == count);
    numbers.ok_or_else(|| RemoteError("the answer of Redis makes no sense".to_owned()))
}
