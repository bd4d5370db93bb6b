//! One node, put together: what was kept is restored, the data path starts, the surfaces listen,
//! and only then is the control plane dialled. At the end the order is turned round.
//!
//! Roles: a data plane gets its configuration from a control plane; a traditional node from its
//! database; one without a database from a file, a string or its Admin API. All run the same
//! engine and the same intake.

mod certificate;
mod database;
mod declared;
mod error;
mod follow;
mod handle;
mod late;
mod metrics;
mod place;
mod rows;
mod surfaces;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use conf::{Role, Settings};
use entities::Catalogue;
use plugin_api::{NodeInfo, Shares};
use plugins::Brought;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::handover::{self, Sockets};
use crate::intake::{Cache, Intake, IntakeOptions};
use crate::outlet::{Apply, Client, ClientOptions, Identity, Link};
use crate::proxy::{Engine, EngineHandle, EngineOptions};
use crate::snapshot::{Compile, Snapshot};
use crate::status::{Active, Counters, Facts, StreamCounters};
use crate::telemetry::{Sender, TelemetrySink};

pub use crate::surface::{AnswerBody, Handler, HandlerFuture, ServeError};
use database::Database;
pub use database::{LOCAL_PLANE, open_database};
pub use error::NodeError;
use follow::Follower;
pub use handle::{Handle, MakeAdmin};
use late::Late;
use place::Place;
use rows::Rows;
use surfaces::{Surfaces, has_admin};

/// Our name and version, as `Via` and `Server` say it.
pub const PRODUCT: &str = concat!("gatehouse/", env!("CARGO_PKG_VERSION"));

/// Limit: how long requests under way may go on after the end was asked for.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Limit: the same when a successor has taken over; long-lived connections may end in peace.
const SUCCEEDED_DRAIN_LIMIT: Duration = Duration::from_hours(1);

/// Pause between attempts to keep a configuration while the disk refuses.
const DISK_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Runs a node until `shutdown` resolves, then lets requests under way end. `admin` builds its
/// Admin API, if there is a listener for one.
///
/// # Errors
///
/// What keeps a node from starting: [`NodeError`]. Nothing of it runs then.
pub async fn run(
    settings: Settings,
    admin: MakeAdmin,
    shutdown: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let node = Node::start(settings, admin).await?;
    let mut shutdown = std::pin::pin!(shutdown);
    let is_succeeded = tokio::select! {
        () = &mut shutdown => false,
        () = handover::offer(&node.door, &node.sockets) => true,
    };
    if is_succeeded {
        tracing::info!("a successor has taken over; what is under way here may end");
        tokio::select! {
            () = shutdown => {}
            () = node.drain(SUCCEEDED_DRAIN_LIMIT) => {}
        }
    }
    node.stop().await;
    Ok(())
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    engine: Arc<EngineHandle>,
    intake: Arc<Intake>,
    facts: Facts,
    surfaces: Surfaces,
    end: watch::Sender<bool>,
    links: JoinSet<()>,
    sockets: Sockets,
    door: PathBuf,
}

impl Node {
    /// Starts a node; when this returns it serves what it has.
    ///
    /// # Errors
    ///
    /// [`NodeError`]: a listener that cannot be bound, a setting that cannot be used, a
    /// declarative configuration that is wrong, a database that cannot be opened.
    pub async fn start(settings: Settings, admin: MakeAdmin) -> Result<Self, NodeError> {
        let settings = Arc::new(settings);
        let place = Place::open(&settings.prefix);
        let (sockets, predecessor) = handover::take(&place.door()).await;
        let identity = identity(&settings);
        let certificate = certificate::default_certificate(&settings)?;
        let is_data_plane = settings.role == Role::DataPlane;
        let brought = brought(&settings)?;
        let catalogue = catalogue(&settings, &brought);
        let database = Database::of(&settings, &place, &catalogue).await?;
        let info = node_info(&settings, &identity, database.as_ref());
        let compile = Compile::new(&settings, info, certificate.clone())?;
        let compile = Arc::new(compile.with_brought(&brought));
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::empty(&compile)));
        let upstreams = Arc::clone(&compile.upstreams);
        let intake = Arc::new(Intake::new(IntakeOptions {
            catalogue: Arc::clone(&catalogue),
            compile: Arc::clone(&compile),
            snapshot: Arc::clone(&snapshot),
            cache: kept(&settings, &place, database.is_some()),
            retry_interval: DISK_RETRY_INTERVAL,
            keeps_tables: database.is_none() && has_admin(&settings),
        }));
        let followed = configure(&settings, database.as_ref(), &intake).await?;
        let has_intake = is_data_plane && settings.cluster_telemetry_endpoint.is_some();
        let telemetry = telemetry(has_intake);
        let engine = Arc::new(Engine::start(&EngineOptions {
            settings: Arc::clone(&settings),
            snapshot: Arc::clone(&snapshot),
            dns: Arc::clone(upstreams.dns()),
            telemetry: telemetry.clone(),
            product: PRODUCT.to_owned(),
            sockets: sockets.clone(),
        })?);
        let handle = Handle {
            facts: facts(&engine, &intake, database.as_ref())
                .with_metrics(metrics::metrics(Arc::clone(&compile))),
            settings: Arc::clone(&settings),
            node_id: identity.node_id,
            hostname: identity.hostname.clone(),
            catalogue,
            store: database.as_ref().and_then(Database::store).cloned(),
            intake: Arc::clone(&intake),
            snapshot,
            upstreams,
        };
        let late = Arc::new(Late::default());
        let answering = Arc::clone(&late) as Arc<dyn Handler>;
        let surfaces = Surfaces::start(&handle, certificate.as_ref(), answering, &sockets).await?;
        let mut node = Self {
            engine,
            intake,
            facts: handle.facts.clone(),
            surfaces,
            end: watch::channel(false).0,
            links: JoinSet::new(),
            sockets,
            door: place.door(),
        };
        node.follow(database, followed, handle, (late, admin));
        if is_data_plane {
            node.link(&settings, &identity, (&brought, &compile), telemetry)?;
        }
        node.announce();
        // Sockets of listeners that the settings name no more close with the predecessor.
        node.sockets.close_unwanted();
        if let Some(predecessor) = predecessor {
            predecessor.release();
        }
        Ok(node)
    }

    /// Follows the database, if the node has one, and lets the Admin API answer: at once, or when
    /// the database is there.
    fn follow(
        &mut self,
        database: Option<Database>,
        followed: Option<Follower>,
        mut handle: Handle,
        (late, admin): (Arc<Late>, MakeAdmin),
    ) {
        match (database, followed) {
            (Some(_), Some(follower)) => {
                late.set(admin(handle));
                self.links.spawn(follower.run(self.end.subscribe()));
            }
            (Some(database), None) => {
                let end = self.end.subscribe();
                self.links.spawn(async move {
                    let mut until = end.clone();
                    let store = tokio::select! {
                        store = database.opened() => store,
                        _ = until.wait_for(|end| *end) => return,
                    };
                    let follower = Follower::new(store.clone(), Arc::clone(&handle.intake));
                    handle.store = Some(store);
                    late.set(admin(handle));
                    follower.run(end).await;
                });
            }
            (None, _) => late.set(admin(handle)),
        }
    }

    /// Dials the control plane and the intake of telemetry, now and whenever they are lost.
    fn link(
        &mut self,
        settings: &Settings,
        identity: &Identity,
        (brought, compile): (&Brought, &Compile),
        telemetry: TelemetrySink,
    ) -> Result<(), NodeError> {
        let bundled = plugins::DEFINITIONS.iter().copied();
        let plugins: Vec<_> = bundled
            .chain(brought.definitions())
            .filter(|plugin| plugin.is_runnable())
            .map(|plugin| (plugin.name.to_owned(), Some(plugin.version.to_owned())))
            .collect();
        let link = Link::to_control_plane(settings)?;
        let options = ClientOptions::of(settings, identity.clone(), &plugins);
        let intake = Arc::clone(&self.intake) as Arc<dyn Apply>;
        let client = Client::new(link, options, intake);
        let shares = Arc::clone(client.shares());
        compile.shared.get::<Shares>().set(shares);
        let end = self.end.subscribe();
        self.links.spawn(async move { client.run(end).await });
        if let Some(sender) = Sender::new(settings, identity.clone(), telemetry)? {
            self.links.spawn(sender.run(self.end.subscribe()));
        }
        Ok(())
    }

    fn announce(&self) {
        let config_hash = self.intake.active_hash();
        let is_ready = self.facts.not_ready().is_none();
        tracing::info!(
            proxy = ?self.engine.addresses(),
            status = ?self.surfaces.status_addresses(),
            admin = ?self.surfaces.admin_addresses(),
            config_hash,
            is_ready,
            "node started"
        );
    }

    /// Where the data path listens, in the order of `proxy_listen`.
    #[must_use]
    pub fn proxy_addresses(&self) -> &[SocketAddr] {
        self.engine.addresses()
    }

    /// Where the status API listens.
    #[must_use]
    pub fn status_addresses(&self) -> &[SocketAddr] {
        self.surfaces.status_addresses()
    }

    /// Where the Admin API listens; empty on a data plane.
    #[must_use]
    pub fn admin_addresses(&self) -> &[SocketAddr] {
        self.surfaces.admin_addresses()
    }

    /// The door for configurations.
    #[must_use]
    pub const fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    /// Says that it is not ready, takes in nothing new and lets requests under way end, for at most
    /// `limit`.
    async fn drain(&self, limit: Duration) {
        self.facts.drain();
        self.intake.stop();
        self.sockets.close();
        self.engine.drain(limit).await;
    }

    /// Says that it is not ready, takes in nothing new, lets requests under way end (ten seconds
    /// at most), and returns when everything has ended.
    pub async fn stop(mut self) {
        tracing::info!("node is ending");
        self.drain(DRAIN_LIMIT).await;
        // Telemetry of the last requests goes out after them.
        self.end.send_replace(true);
        while self.links.join_next().await.is_some() {}
        self.surfaces.stop().await;
        tracing::info!("node ended");
    }
}

/// The node as plugins see it. Call it on the runtime of the node.
fn node_info(settings: &Settings, identity: &Identity, database: Option<&Database>) -> NodeInfo {
    NodeInfo {
        tracing: rows::tracing(settings),
        database: database.cloned().map(Rows::shared),
        ..NodeInfo::new(identity.node_id, identity.hostname.as_str())
    }
}

/// Where records of requests go.
fn telemetry(has_intake: bool) -> TelemetrySink {
    if has_intake {
        TelemetrySink::enabled()
    } else {
        TelemetrySink::disabled()
    }
}

/// The plugins that the settings name and that do not come with the product.
fn brought(settings: &Settings) -> Result<Arc<Brought>, NodeError> {
    let names = settings.plugins.names.iter();
    let names: Vec<_> = names
        .filter(|name| plugins::definition(name).is_none())
        .cloned()
        .collect();
    let brought = Brought::load(&names, &settings.lua_package_path)
        .map_err(|faults| NodeError::Plugins(faults.join("; ")))?;
    for notice in brought.notices() {
        tracing::warn!("{notice}");
    }
    Ok(Arc::new(brought))
}

/// All kinds of entities, with the plugins that the settings enable.
fn catalogue(settings: &Settings, brought: &Brought) -> Arc<Catalogue> {
    let selection = settings.plugins.clone();
    let is_enabled =
        |name: &str| selection.is_bundled || selection.names.iter().any(|chosen| chosen == name);
    let catalogue = Catalogue::new(plugins::catalogue_with(is_enabled, brought));
    Arc::new(match settings.router_flavor {
        conf::RouterFlavor::Expressions => catalogue.with_expressions(),
        conf::RouterFlavor::Traditional | conf::RouterFlavor::TraditionalCompatible => catalogue,
    })
}

/// The node's id and name. A folder that cannot be written gives it a new id at every start.
fn identity(settings: &Settings) -> Identity {
    Identity::of(settings).unwrap_or_else(|error| {
        tracing::error!(%error, "the node's id cannot be kept: a new one is used until it can");
        Identity {
            node_id: clock::new_uuid(),
            hostname: "localhost".to_owned(),
            version: plugin_api::COMPATIBLE_VERSION.to_owned(),
        }
    })
}

/// Takes into use what the node starts with. Gives who follows the database, if it is there.
async fn configure(
    settings: &Settings,
    database: Option<&Database>,
    intake: &Arc<Intake>,
) -> Result<Option<Follower>, NodeError> {
    match database.map(Database::store) {
        Some(Some(store)) => {
            let mut follower = Follower::new(store.clone(), Arc::clone(intake));
            follower.load().await.map_err(NodeError::Database)?;
            return Ok(Some(follower));
        }
        Some(None) => {}
        None if declared::load(settings, intake).await? => return Ok(None),
        None => {}
    }
    // Whatever was found, it has been said; the node starts with what it has.
    intake.restore().await;
    Ok(None)
}

fn facts(engine: &Arc<EngineHandle>, intake: &Arc<Intake>, database: Option<&Database>) -> Facts {
    let (engine, intake) = (Arc::clone(engine), Arc::clone(intake));
    let counters = move || {
        let counters = engine.counters();
        Counters {
            connections_active: counters.active,
            connections_reading: 0,
            connections_writing: counters.writing,
            connections_waiting: counters.active.saturating_sub(counters.writing),
            connections_accepted: counters.accepted,
            connections_handled: counters.handled,
            total_requests: counters.requests,
            connections_refused: counters.connections_refused,
            datagrams_dropped: counters.datagrams_dropped,
            log_lines_dropped: counters.log_dropped,
            connection_faults: counters.panics,
            handshake_failures: counters.handshake_failures,
            attempt_failures: counters.attempt_failures,
            stream: StreamCounters {
                connections: counters.stream_connections,
                sessions: counters.stream_sessions,
                refused: counters.stream_refused,
                unreachable: counters.stream_unreachable,
                sent_bytes: counters.stream_sent_bytes,
                received_bytes: counters.stream_received_bytes,
            },
        }
    };
    let active = move || Active {
        hash: intake.active_hash(),
        is_empty: intake.is_empty(),
        refusal: intake.refusal(),
        refusals: intake.refusals(),
    };
    Facts::new(counters, active, database.map(Database::reach))
}

/// Where accepted configurations are kept; nowhere where they lie in a file of the node's own
/// already.
fn kept(settings: &Settings, place: &Place, has_database: bool) -> Option<Cache> {
    match settings.database {
        conf::Database::Sqlite if has_database => None,
        _ => place.cache(),
    }
}
