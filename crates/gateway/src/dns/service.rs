//! The node's resolver.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use conf::{DnsFamily, DnsSettings};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::answer::{Answer, DnsError, Found};
use super::ask::{Asker, FOUND_MAX, Records};
use super::cache::{Cache, Entry};
use super::hosts::{self, Hosts};

/// Limit: names that are asked for at a time.
const ASKING_MAX: usize = 256;

/// Shortest and longest time that an answer is fresh, whatever it says: a lifetime of 0 would be
/// asked for without end.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Resolves names for a node. Cheap to share; see [`DnsSettings`] for its rules.
pub struct Dns {
    settings: DnsSettings,
    hosts: Hosts,
    asker: Asker,
    cache: Mutex<Cache>,
    turns: Semaphore,
    /// Where questions run: not on a core of the data path.
    home: Option<Handle>,
}

impl Dns {
    /// Sets up a resolver; reads the hosts file and the system's resolver settings. Questions run
    /// on the runtime that this is called in, or else where they come from.
    #[must_use]
    pub fn new(settings: &DnsSettings) -> Arc<Self> {
        Self::with_patience(settings, None)
    }

    /// The same with another limit for one attempt at one server than the system's.
    pub(crate) fn with_patience(settings: &DnsSettings, patience: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            hosts: Hosts::read(&settings.hosts_file),
            asker: Asker::new(settings, patience),
            cache: Mutex::new(Cache::new(settings.cache_size)),
            turns: Semaphore::new(ASKING_MAX),
            home: Handle::try_current().ok(),
            settings: settings.clone(),
        })
    }

    /// How long an answer may serve that nobody can renew.
    pub(crate) const fn stale_ttl(&self) -> Duration {
        self.settings.stale_ttl
    }

    /// What is known without asking, fresh or not.
    pub(crate) fn known(&self, name: &str) -> Option<Arc<Answer>> {
        let name = name.to_ascii_lowercase();
        if let Some(addresses) = self.hosts.find(&name) {
            return Some(Arc::new(Answer::fixed(addresses)));
        }
        let cache = self.cache.lock();
        let usable = cache
            .get(&name)?
            .usable(Instant::now(), self.settings.stale_ttl);
        usable.map(Arc::clone)
    }

    /// The addresses of a name. What is known serves while it is renewed.
    pub(crate) async fn resolve(self: &Arc<Self>, name: &str) -> Result<Arc<Answer>, DnsError> {
        self.find(name, true).await
    }

    /// The addresses of a name, waiting for new ones when those that are known have ended.
    pub(crate) async fn renew(self: &Arc<Self>, name: &str) -> Result<Arc<Answer>, DnsError> {
        self.find(name, false).await
    }

    async fn find(
        self: &Arc<Self>,
        name: &str,
        may_be_stale: bool,
    ) -> Result<Arc<Answer>, DnsError> {
        let name = name.to_ascii_lowercase();
        if let Some(addresses) = self.hosts.find(&name) {
            return Ok(Arc::new(Answer::fixed(addresses)));
        }
        if hosts::is_invalid(&name) {
            return Err(DnsError::NoSuchName);
        }
        let mut asking = {
            let mut cache = self.cache.lock();
            let now = Instant::now();
            let entry = cache.entry(&name);
            if let Some(answer) = entry.answer.as_ref().filter(|answer| answer.is_fresh(now)) {
                return Ok(Arc::clone(answer));
            }
            let stale = entry.usable(now, self.settings.stale_ttl).map(Arc::clone);
            let stale = stale.filter(|_| may_be_stale);
            if let Some(error) = entry.failure(now) {
                return stale.ok_or_else(|| error.clone());
            }
            let asking = entry.asking().unwrap_or_else(|| self.begin(&name, entry));
            if let Some(stale) = stale {
                return Ok(stale);
            }
            asking
        };
        // The sender sends nothing: it goes when the answer is there.
        let _ = asking.changed().await;
        let cache = self.cache.lock();
        let now = Instant::now();
        let entry = cache.get(&name);
        let fresh = entry.and_then(|entry| entry.answer.as_ref());
        match fresh.filter(|answer| answer.is_fresh(now)) {
            Some(answer) => Ok(Arc::clone(answer)),
            None => Err(entry.and_then(|entry| entry.failure.as_ref()).map_or_else(
                || DnsError::NoAnswer("nobody answered".to_owned()),
                |f| f.0.clone(),
            )),
        }
    }

    /// Begins a question; whoever waits for the receiver is woken when it is answered.
    fn begin(self: &Arc<Self>, name: &str, entry: &mut Entry) -> watch::Receiver<()> {
        let (done, asking) = watch::channel(());
        entry.asking = Some(asking.clone());
        let (dns, name, last) = (Arc::clone(self), name.to_owned(), entry.last);
        let question = async move {
            let answered = dns.question(&name, last).await;
            dns.take_in(&name, answered);
            drop(done);
        };
        match &self.home {
            Some(home) => drop(home.spawn(question)),
            None => drop(tokio::spawn(question)),
        }
        asking
    }

    /// Asks for one kind of records after another until one has an answer.
    async fn question(
        &self,
        name: &str,
        last: Option<DnsFamily>,
    ) -> Result<(DnsFamily, Records), DnsError> {
        let _turn = self.turns.acquire().await;
        let mut error = DnsError::Empty;
        let mut asked = Vec::new();
        for family in &self.settings.order {
            let family = match family {
                DnsFamily::Last => match last {
                    Some(last) => last,
                    None => continue,
                },
                // Aliases are followed in the answers to the other kinds.
                DnsFamily::Cname => continue,
                other => *other,
            };
            if asked.contains(&family) || (family == DnsFamily::Srv && !self.asks_services(name)) {
                continue;
            }
            asked.push(family);
            let answered = match family {
                DnsFamily::Srv => self.services(name).await,
                family => self.asker.addresses(name, family == DnsFamily::Aaaa).await,
            };
            match answered {
                Ok(records) => return Ok((family, records)),
                Err(fault) => error = fault,
            }
        }
        Err(error)
    }

    /// Whether service records are asked for.
    ///
    /// Compat: the older client asks for every name, the newer for names that look like it.
    fn asks_services(&self, name: &str) -> bool {
        if !self.settings.asks_services_by_form {
            return true;
        }
        let mut labels = name.split('.');
        labels.next().is_some_and(|label| label.starts_with('_'))
            && labels.next().is_some_and(|label| label.starts_with('_'))
    }

    /// Service records with the addresses of their machines.
    async fn services(&self, name: &str) -> Result<Records, DnsError> {
        let (services, mut ttl) = self.asker.services(name).await?;
        let mut found = Vec::new();
        let mut error = DnsError::Empty;
        for service in services {
            let addresses = match self.hosts.find(&service.name) {
                Some(fixed) => fixed,
                None => match self.machine(&service.name).await {
                    Ok(records) => {
                        ttl = ttl.min(records.ttl);
                        records.found.into_iter().map(|found| found.ip).collect()
                    }
                    Err(fault) => {
                        error = fault;
                        continue;
                    }
                },
            };
            found.extend(addresses.into_iter().map(|ip| Found {
                ip,
                port: Some(service.port),
                weight: service.weight,
                name: Some(service.name.as_str().into()),
            }));
        }
        found.truncate(FOUND_MAX);
        if found.is_empty() {
            return Err(error);
        }
        Ok(Records { found, ttl })
    }

    async fn machine(&self, name: &str) -> Result<Records, DnsError> {
        let has_v6 = self.settings.order.contains(&DnsFamily::Aaaa);
        match self.asker.addresses(name, false).await {
            Err(error) if has_v6 => match self.asker.addresses(name, true).await {
                Ok(records) => Ok(records),
                Err(_) => Err(error),
            },
            answered => answered,
        }
    }

    fn take_in(&self, name: &str, answered: Result<(DnsFamily, Records), DnsError>) {
        let mut cache = self.cache.lock();
        let entry = cache.entry(name);
        let now = Instant::now();
        match answered {
            Ok((family, records)) => {
                let lives = self.settings.valid_ttl;
                let lives = lives.unwrap_or_else(|| Duration::from_secs(u64::from(records.ttl)));
                entry.last = Some(family);
                entry.failure = None;
                entry.answer = Some(Arc::new(Answer {
                    found: records.found,
                    kind: family.as_str(),
                    valid_until: Some(now + lives.clamp(SHORTEST, LONGEST)),
                    read_at: now,
                }));
            }
            Err(error) => {
                let believed = match error.is_absence() {
                    true => self.settings.not_found_ttl,
                    false => self.settings.error_ttl,
                };
                tracing::debug!(name, %error, "a name was not resolved");
                entry.failure = Some((error, now + believed.clamp(SHORTEST, LONGEST)));
            }
        }
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
