//! Opening the parts of the platform and keeping them together.
//!
//! The data folder: `ca.crt` and `ca.key` (the private authority), `seal.key`, `global.db`, and
//! per geo `geo-NAME.db` and `analytics-NAME.db`.

mod authority;
mod telemetry;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use admin_api::Entities;
use analytics::Analytics;
use control_plane::outlet::{Outlet, OutletOptions};
use control_plane::{Geo, NewControlPlane, Planes};
use identity::{Bootstrap, Identity, IdentityError};
use pki::{Authority, Sealer};
use store::{Location, NoEntities, PostgresConfig, Seal, Store, StoreOptions};
use telemetry::Keeper;
use tokio::net::TcpListener;

use crate::dispatch::Services;
use crate::error::PlatformError;
use crate::hosts::Hosts;
use crate::options::{PlatformOptions, StoreName, location};
use crate::server;
use crate::tls::Certificates;

/// The name of the control plane that every organisation has.
///
/// Compat: as in the reference.
const DEFAULT_PLANE: &str = "default";

/// What belongs to one geo.
#[derive(Clone, Debug)]
pub(crate) struct GeoParts {
    pub(crate) planes: Planes,
    pub(crate) entities: Entities,
    pub(crate) outlet: Outlet,
    pub(crate) analytics: Analytics,
}

/// A platform whose port is open and whose data is read, ready to serve.
#[derive(Debug)]
pub struct Platform {
    options: PlatformOptions,
    listener: TcpListener,
    address: SocketAddr,
    authority: Arc<Authority>,
    identity: Identity,
    geos: Vec<GeoParts>,
}

impl Platform {
    /// Opens the port and the data; makes what is missing in the data folder.
    ///
    /// # Errors
    ///
    /// See [`PlatformError`]; nothing is left running.
    pub async fn open(options: PlatformOptions) -> Result<Self, PlatformError> {
        options.check()?;
        let address = options.listen;
        let fault = |source| PlatformError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let folder = &options.data_dir;
        authority::make_folder(folder)?;
        let authority = Arc::new(authority::open(folder, &options.base_domain)?);
        let sealer: Arc<dyn Seal> = Arc::new(Sealer::open_or_create(&folder.join("seal.key"))?);
        let identity = Identity::open(open_global(
            options.location(StoreName::Global),
            Arc::clone(&sealer),
        )?);
        let mut geos = Vec::new();
        for name in &options.geos {
            let geo = Geo {
                name: name.clone(),
                base_domain: options.base_domain.clone(),
                port: options.public_port.unwrap_or_else(|| address.port()),
            };
            geos.push(open_geo(folder, geo, &options, Arc::clone(&sealer)).await?);
        }
        Ok(Self {
            options,
            listener,
            address,
            authority,
            identity,
            geos,
        })
    }

    /// The address listened on, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The options it was opened with.
    #[must_use]
    pub const fn options(&self) -> &PlatformOptions {
        &self.options
    }

    /// Organisations, users and tokens.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The control planes of a geo; `None` when it is not served.
    #[must_use]
    pub fn planes(&self, geo: &str) -> Option<&Planes> {
        self.geos
            .iter()
            .map(|parts| &parts.planes)
            .find(|planes| planes.geo().name == geo)
    }

    #[cfg(test)]
    pub(crate) fn geo_parts(&self) -> &[GeoParts] {
        &self.geos
    }

    /// The certificate that clients have to trust, as PEM text.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    /// Makes the first organisation with its administrator and a default control plane in every
    /// geo. `None` when that was done before.
    ///
    /// # Errors
    ///
    /// See [`PlatformError`].
    pub async fn bootstrap(
        &self,
        organisation: &str,
        email: &str,
    ) -> Result<Option<Bootstrap>, PlatformError> {
        if self.identity.is_bootstrapped().await? {
            return Ok(None);
        }
        let made = match self.identity.bootstrap(organisation, email).await {
            Ok(made) => made,
            // Another platform on the same database was faster.
            Err(IdentityError::AlreadyBootstrapped) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for geo in &self.geos {
            let new = NewControlPlane {
                name: DEFAULT_PLANE.to_owned(),
                is_default: true,
                ..NewControlPlane::default()
            };
            geo.planes.create(made.organisation.id, new).await?;
        }
        Ok(Some(made))
    }

    /// Serves until `shutdown` completes, then lets requests under way finish within
    /// [`crate::Limits::shutdown`].
    ///
    /// # Errors
    ///
    /// See [`PlatformError`].
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), PlatformError> {
        let hosts = Hosts::new(&self.options.base_domain, &self.options.geos);
        let certificates = Certificates::new(hosts.clone(), self.authority);
        let port = self
            .options
            .public_port
            .unwrap_or_else(|| self.address.port());
        let identity = self.identity.clone();
        let others = async move {
            identity.follow_others().await;
            std::future::pending().await
        };
        let services = Services::new(hosts, port, &self.options.limits, self.identity, &self.geos);
        tracing::info!(address = %self.address, "platform listens");
        let limits = self.options.limits;
        let served = server::serve(self.listener, certificates, services, limits, shutdown);
        tokio::select! {
            () = served => {}
            () = others => {}
        }
        Ok(())
    }
}

/// Opens what a platform keeps about people, for repairs on its data folder.
///
/// # Errors
///
/// When there is no platform in the folder, or its data cannot be read.
pub fn open_identity(
    folder: &Path,
    database: Option<&PostgresConfig>,
) -> Result<Identity, PlatformError> {
    let sealer: Arc<dyn Seal> = Arc::new(Sealer::load(&folder.join("seal.key"))?);
    let location = location(folder, database, StoreName::Global);
    Ok(Identity::open(open_global(location, sealer)?))
}

fn open_global(location: Location, sealer: Arc<dyn Seal>) -> Result<Store, PlatformError> {
    Ok(Store::open(StoreOptions {
        location,
        sealer,
        catalogue: Arc::new(NoEntities),
    })?)
}

/// Opens and serves the platform: [`Platform::open`], then [`Platform::serve`].
///
/// # Errors
///
/// See [`PlatformError`].
pub async fn run(
    options: PlatformOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), PlatformError> {
    Platform::open(options).await?.serve(shutdown).await
}

async fn open_geo(
    folder: &Path,
    geo: Geo,
    options: &PlatformOptions,
    sealer: Arc<dyn Seal>,
) -> Result<GeoParts, PlatformError> {
    let catalogue = Arc::clone(&options.catalogue);
    let store = Store::open(StoreOptions {
        location: options.location(StoreName::Geo(&geo.name)),
        sealer,
        catalogue: catalogue.clone(),
    })?;
    let analytics = Analytics::open(&folder.join(format!("analytics-{}.db", geo.name)))?;
    let planes = Planes::open(geo, store.clone()).await?;
    telemetry::forget_with_planes(&planes, analytics.clone());
    let outlet = Outlet::new(
        planes.clone(),
        store.clone(),
        Arc::clone(&catalogue),
        Some(Arc::new(Keeper(analytics.clone()))),
        OutletOptions::default(),
    );
    let entities = Entities::new(catalogue, store);
    Ok(GeoParts {
        planes,
        entities,
        outlet,
        analytics,
    })
}
