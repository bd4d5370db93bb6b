//! One node, put together: what was kept is restored, the data path starts, the surfaces listen,
//! and only then is the control plane dialled. At the end the order is turned round.
//!
//! Roles: a data plane gets its configuration from a control plane; a node without a database
//! from a file, a string or its Admin API. Both run the same engine and the same intake.

mod certificate;
mod declared;
mod error;
mod place;
mod surfaces;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use conf::{Role, Settings};
use entities::Catalogue;
use plugin_api::NodeInfo;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::intake::{Intake, IntakeOptions};
use crate::outlet::{Apply, Client, ClientOptions, Identity, Link};
use crate::proxy::{Engine, EngineHandle, EngineOptions};
use crate::snapshot::{Compile, Snapshot};
use crate::status::{Active, Counters, Facts};
use crate::telemetry::{Sender, TelemetrySink};

pub use crate::surface::ServeError;
pub use error::NodeError;
use place::Place;
use surfaces::Surfaces;

/// Our name and version, as `Via` and `Server` say it.
pub const PRODUCT: &str = concat!("gatehouse/", env!("CARGO_PKG_VERSION"));

/// Limit: how long requests under way may go on after the end was asked for.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Pause between attempts to keep a configuration while the disk refuses.
const DISK_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Runs a node until `shutdown` resolves, then lets requests under way end.
///
/// # Errors
///
/// What keeps a node from starting: [`NodeError`]. Nothing of it runs then.
pub async fn run(settings: Settings, shutdown: impl Future<Output = ()>) -> Result<(), NodeError> {
    let node = Node::start(settings).await?;
    shutdown.await;
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
}

impl Node {
    /// Starts a node; when this returns it serves what it has.
    ///
    /// # Errors
    ///
    /// [`NodeError`]: a listener that cannot be bound, a setting that cannot be used, a
    /// declarative configuration that is wrong.
    pub async fn start(settings: Settings) -> Result<Self, NodeError> {
        let settings = Arc::new(settings);
        let place = Place::open(&settings.prefix);
        let identity = identity(&settings);
        let info = NodeInfo {
            id: identity.node_id,
            hostname: identity.hostname.clone(),
        };
        let certificate = certificate::default_certificate(&settings)?;
        let compile = Arc::new(Compile::new(&settings, info, certificate.clone())?);
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::empty(&compile)));
        let is_data_plane = settings.role == Role::DataPlane;
        let selection = settings.plugins.clone();
        let is_enabled = |name: &str| {
            selection.is_bundled || selection.names.iter().any(|chosen| chosen == name)
        };
        let catalogue = Arc::new(Catalogue::new(plugins::catalogue_of(is_enabled)));
        let intake = Arc::new(Intake::new(IntakeOptions {
            catalogue: Arc::clone(&catalogue),
            compile,
            snapshot: Arc::clone(&snapshot),
            cache: place.cache(),
            retry_interval: DISK_RETRY_INTERVAL,
            keeps_tables: !is_data_plane,
        }));
        if !declared::load(&settings, &intake).await? {
            // Whatever was found, it has been said; the node starts with what it has.
            intake.restore().await;
        }
        let telemetry = if is_data_plane && settings.cluster_telemetry_endpoint.is_some() {
            TelemetrySink::enabled()
        } else {
            TelemetrySink::disabled()
        };
        let engine = Arc::new(Engine::start(&EngineOptions {
            settings: Arc::clone(&settings),
            snapshot,
            telemetry: telemetry.clone(),
            product: PRODUCT.to_owned(),
        })?);
        let facts = facts(&engine, &intake);
        let about = surfaces::About {
            settings: &settings,
            facts: facts.clone(),
            intake: Arc::clone(&intake),
            certificate,
            node_id: identity.node_id,
        };
        let surfaces = Surfaces::start(about).await?;
        let mut node = Self {
            engine,
            intake,
            facts,
            surfaces,
            end: watch::channel(false).0,
            links: JoinSet::new(),
        };
        if is_data_plane {
            node.link(&settings, &identity, telemetry)?;
        }
        node.announce();
        Ok(node)
    }

    /// Dials the control plane and the intake of telemetry, now and whenever they are lost.
    fn link(
        &mut self,
        settings: &Settings,
        identity: &Identity,
        telemetry: TelemetrySink,
    ) -> Result<(), NodeError> {
        let plugins: Vec<_> = plugins::DEFINITIONS
            .iter()
            .filter(|plugin| plugin.is_runnable())
            .map(|plugin| (plugin.name.to_owned(), Some(plugin.version.to_owned())))
            .collect();
        let link = Link::to_control_plane(settings)?;
        let options = ClientOptions::of(settings, identity.clone(), &plugins);
        let intake = Arc::clone(&self.intake) as Arc<dyn Apply>;
        let client = Client::new(link, options, intake);
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

    /// Says that it is not ready, takes in nothing new, lets requests under way end (ten seconds
    /// at most), and returns when everything has ended.
    pub async fn stop(mut self) {
        tracing::info!("node is ending");
        self.facts.drain();
        self.intake.stop();
        self.engine.drain(DRAIN_LIMIT).await;
        // Telemetry of the last requests goes out after them.
        self.end.send_replace(true);
        while self.links.join_next().await.is_some() {}
        self.surfaces.stop().await;
        tracing::info!("node ended");
    }
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

fn facts(engine: &Arc<EngineHandle>, intake: &Arc<Intake>) -> Facts {
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
        }
    };
    let active = move || Active {
        hash: intake.active_hash(),
        is_empty: intake.is_empty(),
    };
    Facts::new(counters, active)
}
