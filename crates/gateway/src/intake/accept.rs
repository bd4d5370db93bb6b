//! The intake: the only door through which a configuration comes into use.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use declarative::{Config, Document, Options};
use entities::Catalogue;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::{Mutex, oneshot};

use super::cache::{Cache, CacheError, Kept, Payload};
use super::keeper::Keeper;
use super::refused::Refused;
use crate::snapshot::{Compile, RowChange, SharedSnapshot, Snapshot};

/// What an intake is made of.
#[derive(Debug)]
pub struct IntakeOptions {
    /// All kinds of entities, with the plugins of this node.
    pub catalogue: Arc<Catalogue>,
    /// The node as the compiler sees it.
    pub compile: Arc<Compile>,
    /// Where the running configuration is.
    pub snapshot: SharedSnapshot,
    /// Where it is kept; `None` keeps nothing.
    pub cache: Option<Cache>,
    /// Pause between attempts to write while the disk refuses.
    pub retry_interval: Duration,
    /// Whether the tables stay in memory, for whoever reads them through the Admin API.
    pub keeps_tables: bool,
}

/// Takes configurations into use, one at a time.
pub struct Intake {
    catalogue: Arc<Catalogue>,
    compile: Arc<Compile>,
    snapshot: SharedSnapshot,
    keeper: Option<Keeper>,
    keeps_tables: bool,
    tables: RwLock<Option<Arc<Config>>>,
    /// Whether any configuration was taken into use, even an empty one.
    is_configured: AtomicBool,
    is_stopping: AtomicBool,
    refusals: AtomicU64,
    /// Why the newest configuration is not in use; nothing once one is again.
    refusal: RwLock<Option<String>>,
    /// Held while a configuration is on its way in.
    turn: Mutex<()>,
}

/// A configuration that is in use now.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its hash; 32 zeros for an empty one.
    pub hash: String,
    /// Its tables, if they are kept in memory.
    pub config: Option<Arc<Config>>,
}

/// What became of a configuration that does not wait for its turn.
#[derive(Debug)]
pub enum Offered {
    /// It was judged.
    Judged(Result<Accepted, Refused>),
    /// Another one is on its way in.
    Busy,
    /// The node is ending.
    Stopping,
}

/// What was found on disk at the start.
#[derive(Debug)]
pub enum Restored {
    /// The last configuration, in use again under this hash.
    Active(String),
    /// Nothing was kept.
    Nothing,
    /// The file could not be used and was set aside.
    Unusable(CacheError),
    /// It is not valid any more.
    Refused(Refused),
}

/// A configuration before it is judged.
enum Submitted {
    Config(Config),
    Document(Document),
    Kept(Payload),
    Table(Value),
}

impl Submitted {
    /// What is to be kept on disk; nothing for what comes from there.
    fn payload(&self, catalogue: &Catalogue) -> Option<Payload> {
        let text = |value: &Value| value.to_string().into_bytes();
        match self {
            Self::Config(config) => Some(Payload::Table(text(&config.to_table(catalogue)))),
            Self::Document(document) => Some(Payload::Document(text(document.value()))),
            Self::Kept(_) => None,
            Self::Table(table) => Some(Payload::Table(text(table))),
        }
    }
}

impl Intake {
    /// Sets up an intake; nothing is read yet.
    #[must_use]
    pub fn new(options: IntakeOptions) -> Self {
        Self {
            catalogue: options.catalogue,
            compile: options.compile,
            snapshot: options.snapshot,
            keeper: options
                .cache
                .map(|cache| Keeper::new(cache, options.retry_interval)),
            keeps_tables: options.keeps_tables,
            tables: RwLock::new(None),
            is_configured: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            refusals: AtomicU64::new(0),
            refusal: RwLock::new(None),
            turn: Mutex::new(()),
        }
    }

    /// Takes a table of the hybrid protocol into use. Waits for its turn.
    ///
    /// # Errors
    ///
    /// [`Refused`] with every violation; nothing has changed then.
    pub async fn accept_table(&self, table: Value, hash: String) -> Result<Accepted, Refused> {
        let _turn = self.turn.lock().await;
        self.accept(Submitted::Table(table), hash).await
    }

    /// Takes a declarative document into use. Waits for its turn.
    ///
    /// # Errors
    ///
    /// [`Refused`] with every violation; nothing has changed then.
    pub async fn accept_document(
        &self,
        document: Document,
        hash: String,
    ) -> Result<Accepted, Refused> {
        let _turn = self.turn.lock().await;
        self.accept(Submitted::Document(document), hash).await
    }

    /// Takes complete entities into use, as a database holds them. Waits for its turn.
    ///
    /// # Errors
    ///
    /// [`Refused`] with everything that this node cannot run; nothing has changed then.
    pub async fn accept_config(&self, config: Config, hash: String) -> Result<Accepted, Refused> {
        let _turn = self.turn.lock().await;
        self.accept(Submitted::Config(config), hash).await
    }

    /// Takes changed rows into use if the running configuration has the hash `from` and they can be
    /// taken over at their own cost. `None` when not: the whole configuration is to be accepted then,
    /// which also says what is wrong.
    pub async fn accept_changes(
        &self,
        changes: Vec<RowChange>,
        from: &str,
        hash: String,
    ) -> Option<Accepted> {
        let _turn = self.turn.lock().await;
        let running = self.snapshot.load_full();
        // Whoever keeps the whole has to be given the whole.
        if self.keeper.is_some() || self.keeps_tables || running.hash != from {
            return None;
        }
        let compile = Arc::clone(&self.compile);
        let changed = on_own_thread(move || running.changed(&changes, &hash, &compile));
        let snapshot = changed.await.ok()??;
        *self.refusal.write() = None;
        Some(self.put_to_use(snapshot, None, true))
    }

    /// Takes a declarative document into use unless another configuration is on its way in, or
    /// the node is ending.
    pub async fn offer_document(&self, document: Document, hash: String) -> Offered {
        if self.is_stopping.load(Ordering::Acquire) {
            return Offered::Stopping;
        }
        match self.turn.try_lock() {
            Err(_) => Offered::Busy,
            Ok(_turn) => Offered::Judged(self.accept(Submitted::Document(document), hash).await),
        }
    }

    /// Takes what was kept from the last run into use.
    pub async fn restore(&self) -> Restored {
        let Some(keeper) = &self.keeper else {
            return Restored::Nothing;
        };
        let _turn = self.turn.lock().await;
        let kept = match keeper.cache().read() {
            Ok(Some(kept)) => kept,
            Ok(None) => return Restored::Nothing,
            Err(error) => {
                let aside = keeper.cache().set_aside();
                tracing::error!(
                    %error,
                    set_aside = ?aside,
                    "the kept configuration cannot be used; it is fetched afresh"
                );
                return Restored::Unusable(error);
            }
        };
        let submitted = Submitted::Kept(kept.payload);
        match self.accept(submitted, kept.hash).await {
            Ok(accepted) => Restored::Active(accepted.hash),
            Err(refused) => {
                tracing::error!(
                    error = %refused,
                    "the kept configuration is not valid for this program; it is fetched afresh"
                );
                Restored::Refused(refused)
            }
        }
    }

    /// The hash of the running configuration; `None` before the first.
    #[must_use]
    pub fn active_hash(&self) -> Option<String> {
        let is_configured = self.is_configured.load(Ordering::Acquire);
        is_configured.then(|| self.snapshot.load().hash.clone())
    }

    /// Whether the running configuration holds no entity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot.load().is_empty
    }

    /// The tables of the running configuration, if they are kept in memory.
    #[must_use]
    pub fn tables(&self) -> Option<Arc<Config>> {
        self.tables.read().clone()
    }

    /// How many configurations were refused since the start.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Why the newest configuration is not the one in use; `None` if it is.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.refusal.read().clone()
    }

    /// Why the running configuration is not on disk; `None` if it is or need not be.
    #[must_use]
    pub fn disk_error(&self) -> Option<String> {
        self.keeper.as_ref().and_then(Keeper::error)
    }

    /// From now on nothing is taken into use.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// All kinds of entities, with the plugins of this node.
    #[must_use]
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// Counts a configuration that is refused, and remembers why if its origin stands behind it:
    /// whoever posts a document has the answer.
    async fn accept(&self, submitted: Submitted, hash: String) -> Result<Accepted, Refused> {
        let is_posted = matches!(submitted, Submitted::Document(_));
        let judged = self.judge(submitted, hash).await;
        match &judged {
            Ok(_) => *self.refusal.write() = None,
            Err(refused) => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                if !is_posted {
                    *self.refusal.write() = Some(refused.to_string());
                }
            }
        }
        judged
    }

    /// Judges, compiles, keeps and swaps, in this order: whoever got an answer out of a
    /// configuration finds it again after a crash. A disk that refuses stops nothing. The caller
    /// holds the turn.
    async fn judge(&self, submitted: Submitted, hash: String) -> Result<Accepted, Refused> {
        let is_routine = matches!(submitted, Submitted::Config(_));
        let (catalogue, compile) = (Arc::clone(&self.catalogue), Arc::clone(&self.compile));
        let (origin_hash, keeps_tables) = (hash.clone(), self.keeps_tables);
        let is_kept = self.keeper.is_some();
        let prepared = on_own_thread(move || {
            let payload = is_kept.then(|| submitted.payload(&catalogue)).flatten();
            let (snapshot, config) = prepare(submitted, &hash, &catalogue, &compile)?;
            let config = keeps_tables.then_some(config);
            Ok((snapshot, payload, config))
        });
        let (snapshot, payload, config) = prepared.await??;
        let running = self.snapshot.load();
        // What held before was said before; every write to a database leads here.
        for notice in &snapshot.notices {
            if !running.notices.contains(notice) {
                tracing::warn!("{notice}");
            }
        }
        drop(running);
        if let (Some(keeper), Some(payload)) = (&self.keeper, payload) {
            let hash = origin_hash;
            keeper.keep(Kept { hash, payload }).await;
        }
        Ok(self.put_to_use(snapshot, config, is_routine))
    }

    /// Swaps. The caller holds the turn.
    fn put_to_use(
        &self,
        snapshot: Snapshot,
        config: Option<Arc<Config>>,
        is_routine: bool,
    ) -> Accepted {
        let (hash, routes) = (snapshot.hash.clone(), snapshot.routes.len());
        let snapshot = Arc::new(snapshot);
        let before = self.snapshot.swap(Arc::clone(&snapshot));
        self.compile.upstreams.activate(&snapshot.balancers);
        self.tables.write().clone_from(&config);
        self.is_configured.store(true, Ordering::Release);
        if is_routine {
            tracing::debug!(config_hash = %hash, routes, "configuration in use");
        } else {
            tracing::info!(config_hash = %hash, routes, "configuration in use");
        }
        tokio::spawn(retire(before));
        Accepted { hash, config }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("active_hash", &self.active_hash())
            .finish_non_exhaustive()
    }
}

/// Runs work on a thread that ends with it: what a large configuration needs for a moment goes
/// back to the system with its thread.
async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let (done, result) = oneshot::channel();
    let fault = |error: String| Refused::Fault(error);
    std::thread::Builder::new()
        .name("compile".to_owned())
        .stack_size(COMPILE_STACK_BYTES)
        .spawn(move || {
            // Where nobody may, requests and this share the processor as equals.
            let _ = rustix::process::nice(COMPILE_NICENESS);
            drop(done.send(work()));
        })
        .map_err(|error| fault(error.to_string()))?;
    let ended = "the thread that compiles ended early";
    result.await.map_err(|_| fault(ended.to_owned()))
}

/// Waits until nobody uses a snapshot any more and takes it apart, which takes a while for a large
/// one: a core that let go of it last would do that between two requests. Then lets the allocator
/// return to the system what that and preparing needed. It does so when a thread ends, for memory
/// that has been free for a second; an idle node would otherwise hold on to it until there is traffic.
async fn retire(before: Arc<Snapshot>) {
    tokio::time::sleep(GIVE_BACK_AFTER).await;
    while Arc::strong_count(&before) > 1 {
        tokio::time::sleep(RETIRE_INTERVAL).await;
    }
    drop(on_own_thread(|| drop(before)).await);
    tokio::time::sleep(GIVE_BACK_AFTER).await;
    drop(on_own_thread(|| drop(vec![0_u8; GIVE_BACK_BYTES])).await);
}

/// Pause between looks whether a snapshot is still in use; connections may hold one for days.
const RETIRE_INTERVAL: Duration = Duration::from_secs(2);

/// Pause before memory is given back; longer than the allocator's own of one second.
const GIVE_BACK_AFTER: Duration = Duration::from_millis(1500);

/// Size of the piece whose release makes the allocator look.
const GIVE_BACK_BYTES: usize = 1 << 20;

/// Requests go before configurations wherever both want a processor. A tenth of it remains, so that
/// a node without a minute's rest still gets its configuration.
const COMPILE_NICENESS: i32 = 10;

/// Limit: stack of the thread that reads and compiles; documents nest 64 deep at most.
const COMPILE_STACK_BYTES: usize = 8 << 20;

/// Everything that takes time: validation and compiling.
fn prepare(
    submitted: Submitted,
    hash: &str,
    catalogue: &Catalogue,
    compile: &Compile,
) -> Result<(Snapshot, Arc<Config>), Refused> {
    let document = |document: Document| document.into_config(catalogue, Options::default());
    let read = |bytes: &[u8]| {
        serde_json::from_slice(bytes)
            .map_err(|error| Refused::Fault(format!("the kept text is no JSON: {error}")))
    };
    let config = match submitted {
        Submitted::Config(config) => Ok(config),
        Submitted::Document(submitted) => document(submitted),
        Submitted::Kept(Payload::Document(bytes)) => document(Document::from_value(read(&bytes)?)),
        Submitted::Kept(Payload::Table(bytes)) => Config::from_table(&read(&bytes)?, catalogue),
        Submitted::Table(table) => Config::from_table(&table, catalogue),
    };
    let config = config.map_err(Refused::Invalid)?;
    let snapshot = Snapshot::compile(&config, hash, compile).map_err(Refused::Invalid)?;
    Ok((snapshot, Arc::new(config)))
}
