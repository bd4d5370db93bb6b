//! Opening and serving the platform.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::error::PlatformError;
use crate::options::PlatformOptions;

/// A platform whose port is open and whose data is read, ready to serve.
#[derive(Debug)]
pub struct Platform {
    options: PlatformOptions,
    listener: TcpListener,
    address: SocketAddr,
}

impl Platform {
    /// Opens the port and the data.
    ///
    /// # Errors
    ///
    /// See [`PlatformError`]; nothing is left running.
    pub async fn open(options: PlatformOptions) -> Result<Self, PlatformError> {
        if options.geos.is_empty() {
            let text = "no geo is named; name at least one, such as `us`";
            return Err(PlatformError::Options(text.to_owned()));
        }
        let address = options.listen;
        let fault = |source| PlatformError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self {
            options,
            listener,
            address,
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
        tracing::info!(address = %self.address, "platform listens");
        shutdown.await;
        drop(self.listener);
        Ok(())
    }
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
