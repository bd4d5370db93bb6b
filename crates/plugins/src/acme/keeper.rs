//! Certificates in memory, and the thread that obtains and renews them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use pki::PeerCertificate;
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::client::{Account, AcmeError, Client, Wish};
use super::config::Config;
use super::sign::AccountKey;
use super::storage::{self, Storage, StorageError};
use crate::outcall::Trust;

/// Limit: hosts that wait for the thread.
const QUEUE_MAX: usize = 256;

/// Limit: certificates in memory.
const KEPT_MAX: usize = 10_000;

/// How often certificates are looked through for those that end soon.
const ROUND: Duration = Duration::from_secs(3600);

/// How long a host without a certificate is not looked for again, milliseconds.
///
/// Compat: that of the reference.
const ABSENT_MS: u64 = 5000;

/// How long somebody who obtains a certificate keeps others from it, seconds.
///
/// Compat: that of the reference.
const LOCK_SECONDS: u64 = 30;

/// What the reference assumes of a certificate's life, seconds.
const LIFE_SECONDS: u64 = 90 * 86_400;

/// An instance with its storage.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) config: Config,
    pub(super) storage: Storage,
    pub(super) trust: Arc<Trust>,
}

/// A certificate in memory.
struct Kept {
    certified: Arc<CertifiedKey>,
    /// Unix seconds.
    ends: u64,
}

/// Keeps certificates for all cores.
#[derive(Default)]
pub(super) struct Keeper {
    certificates: Mutex<HashMap<String, Kept>>,
    /// Hosts without one, and until when (Unix milliseconds) that counts.
    absent: Mutex<HashMap<String, u64>>,
    /// Hosts that the thread deals with.
    busy: Mutex<HashSet<String>>,
    /// Gone with the configuration that it belongs to.
    instance: Mutex<Weak<Instance>>,
    queue: Mutex<Option<mpsc::Sender<String>>>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("certificates", &self.certificates.lock().len())
            .finish_non_exhaustive()
    }
}

impl Keeper {
    /// Works for this instance from now on.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn serve(self: &Arc<Self>, instance: &Arc<Instance>) -> std::io::Result<()> {
        *self.instance.lock() = Arc::downgrade(instance);
        self.absent.lock().clear();
        let mut queue = self.queue.lock();
        if queue.is_some() {
            return Ok(());
        }
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let keeper = Arc::clone(self);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("acme".to_owned())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, keeper.run(receiver));
            })?;
        *queue = Some(sender);
        Ok(())
    }

    /// The certificate of a host. Where there is none it is looked for, and obtained.
    pub(super) fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        if let Some(kept) = self.certificates.lock().get(host) {
            return Some(Arc::clone(&kept.certified));
        }
        let now = clock::unix_millis();
        let mut absent = self.absent.lock();
        if absent.get(host).is_some_and(|until| now < *until) {
            return None;
        }
        if absent.len() >= KEPT_MAX {
            absent.retain(|_, until| now < *until);
        }
        if absent.len() < KEPT_MAX {
            absent.insert(host.to_owned(), now + ABSENT_MS);
            drop(absent);
            self.order(host);
        }
        None
    }

    /// Has the thread deal with a host; where too many wait, it is asked again later.
    fn order(&self, host: &str) {
        if let Some(queue) = &*self.queue.lock() {
            drop(queue.try_send(host.to_owned()));
        }
    }

    async fn run(self: Arc<Self>, mut queue: mpsc::Receiver<String>) {
        let mut rounds = tokio::time::interval(ROUND);
        loop {
            tokio::select! {
                host = queue.recv() => {
                    let Some(host) = host else { return };
                    self.begin(host);
                }
                _ = rounds.tick() => self.round(),
            }
        }
    }

    /// Renews certificates that end soon. Runs where tasks of one thread can be started.
    pub(super) fn round(self: &Arc<Self>) {
        for host in self.ending() {
            self.begin(host);
        }
    }

    /// Hosts whose certificates end soon.
    fn ending(&self) -> Vec<String> {
        let Some(instance) = self.instance.lock().upgrade() else {
            return Vec::new();
        };
        let kept = self.certificates.lock();
        let ending = kept.iter().filter(|(_, kept)| instance.is_due(kept.ends));
        ending.map(|(host, _)| host.clone()).collect()
    }

    /// Deals with a host beside others, unless it is dealt with already.
    fn begin(self: &Arc<Self>, host: String) {
        let Some(instance) = self.instance.lock().upgrade() else {
            return;
        };
        {
            let mut busy = self.busy.lock();
            if busy.len() >= QUEUE_MAX || !busy.insert(host.clone()) {
                return;
            }
        }
        let keeper = Arc::clone(self);
        tokio::task::spawn_local(async move {
            match instance.provide(&host).await {
                Ok(Some(pair)) => keeper.keep(&host, &pair),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(host, %error, "no certificate was obtained");
                }
            }
            keeper.busy.lock().remove(&host);
        });
    }

    fn keep(&self, host: &str, pair: &Pair) {
        match pki::certified_key(pair.certificate.as_bytes(), pair.key.as_bytes()) {
            Ok(certified) => {
                let mut kept = self.certificates.lock();
                if kept.len() < KEPT_MAX || kept.contains_key(host) {
                    let ends = pair.ends();
                    kept.insert(host.to_owned(), Kept { certified, ends });
                }
            }
            Err(error) => tracing::warn!(host, %error, "a certificate in the storage is no use"),
        }
    }
}

/// A certificate with its key, PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        Some(Self {
            certificate: value["cert"].as_str()?.to_owned(),
            key: value["key"].as_str()?.to_owned(),
        })
    }

    /// Unix second at which it ends; 0 for one that cannot be read.
    fn ends(&self) -> u64 {
        let certificates = pki::certificates_from_pem(self.certificate.as_bytes());
        let first = certificates.ok().and_then(|all| all.into_iter().next());
        let first = first.and_then(|der| PeerCertificate::from_der(&der).ok());
        first.map_or(0, |first| u64::try_from(first.not_after()).unwrap_or(0))
    }
}

/// Why a host gets no certificate now.
#[derive(Debug, thiserror::Error)]
enum ProvideError {
    #[error(transparent)]
    Acme(#[from] AcmeError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("cannot make a key or a request: {0}")]
    Key(String),
    #[error("`config.account_key`: {0}")]
    AccountKey(&'static str),
}

fn key_error(error: impl std::fmt::Display) -> ProvideError {
    ProvideError::Key(error.to_string())
}

impl Instance {
    fn is_due(&self, ends: u64) -> bool {
        ends < clock::unix_seconds().saturating_add(self.config.renew_before)
    }

    /// The certificate of the storage, or a new one where there is none or it ends soon. Nothing
    /// while the host is left alone after a failure, or somebody else obtains one.
    async fn provide(&self, host: &str) -> Result<Option<Pair>, ProvideError> {
        let place = storage::certificate(host);
        let stored = self.storage.get(&place).await?;
        let stored = stored.as_deref().and_then(Pair::read);
        if stored
            .as_ref()
            .is_some_and(|pair| !self.is_due(pair.ends()))
        {
            return Ok(stored);
        }
        let now = clock::unix_seconds();
        for key in [storage::backoff(host), storage::lock(host)] {
            let until = self.storage.get(&key).await?;
            let until = until.and_then(|text| text.parse::<u64>().ok());
            if until.is_some_and(|until| now < until) {
                return Ok(stored);
            }
        }
        let lock = storage::lock(host);
        let until = now.saturating_add(LOCK_SECONDS);
        self.storage.set(&lock, &until.to_string()).await?;
        let obtained = self.obtain(host, stored.as_ref()).await;
        if obtained.is_err() {
            let until = clock::unix_seconds().saturating_add(self.config.backoff);
            let key = storage::backoff(host);
            self.storage.set(&key, &until.to_string()).await?;
        }
        self.storage.delete(&lock).await?;
        match obtained {
            Ok(pair) => Ok(Some(pair)),
            // What there is serves on.
            Err(error) => match stored {
                Some(stored) => {
                    tracing::warn!(host, %error, "a certificate was not renewed");
                    Ok(Some(stored))
                }
                None => Err(error),
            },
        }
    }

    /// Obtains a certificate; one that replaces another keeps its key.
    async fn obtain(&self, host: &str, former: Option<&Pair>) -> Result<Pair, ProvideError> {
        let config = &self.config;
        let account = self.account_key().await?;
        let account = AccountKey::from_pem(&account).map_err(AcmeError::Key)?;
        let key = match former {
            Some(former) => former.key.clone(),
            None => {
                let kind = config.key_kind;
                let made = tokio::task::spawn_blocking(move || pki::new_key(kind)).await;
                made.map_err(key_error)?.map_err(key_error)?
            }
        };
        let request = pki::certificate_request(host, &key, config.names_address);
        let request = request.map_err(key_error)?;
        let outside = config.outside.as_ref();
        let who = Account {
            email: &config.email,
            key: &account,
            outside: outside.map(|(kid, secret)| (kid.as_str(), secret.as_str())),
        };
        let mut client = Client::begin(&config.api, who, &self.trust).await?;
        let wish = Wish {
            host,
            request: &request,
            preferred_chain: config.preferred_chain.as_deref(),
        };
        let certificate = client.order(&wish, &self.storage).await?;
        let pair = Pair { certificate, key };
        let text = json!({"key": pair.key, "cert": pair.certificate}).to_string();
        self.storage.set(&storage::certificate(host), &text).await?;
        let ends = clock::unix_seconds().saturating_add(LIFE_SECONDS);
        let renewal = json!({"host": host, "expire_at": ends}).to_string();
        self.storage.set(&storage::renewal(host), &renewal).await?;
        tracing::info!(host, "a certificate was obtained");
        Ok(pair)
    }

    /// The key of the account, PEM; made on first use.
    async fn account_key(&self) -> Result<String, ProvideError> {
        let place = storage::account(&self.config.api, &self.config.email);
        let stored = self.storage.get(&place).await?;
        let stored = stored.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if let Some(key) = stored.as_ref().and_then(|value| value["key"].as_str()) {
            return Ok(key.to_owned());
        }
        if self.config.account_key.is_some() {
            return Err(ProvideError::AccountKey(
                "is not in the storage yet; keep the key there under the account's name",
            ));
        }
        let key = pki::new_key(pki::KeyKind::Ecdsa).map_err(key_error)?;
        let text = json!({ "key": key }).to_string();
        self.storage.set(&place, &text).await?;
        Ok(key)
    }
}
