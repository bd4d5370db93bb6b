//! Opening connections, directly or through a forward proxy.
//!
//! One dialer serves every link to the platform, so that none forgets the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use conf::{ProxyScheme, ProxyServer};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::LinkError;
use super::proxy::open_tunnel;
use super::resolve::resolve;

/// Longest wait for one TCP connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for a TLS handshake or a proxy's answer.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(15);
/// Idle time before the system checks that the other end still lives; below the idle limits of
/// common middleboxes.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// A connection of any kind.
pub trait Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection for T {}

/// A connection whose kind does not matter.
pub type BoxConnection = Box<dyn Connection>;

/// Opens connections.
#[derive(Clone)]
pub struct Dialer {
    proxy: Option<Arc<Proxy>>,
}

struct Proxy {
    server: ProxyServer,
    /// TLS settings for a proxy reached by `https`.
    tls: Arc<ClientConfig>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let proxy = self.proxy.as_ref().map(|p| (&p.server.host, p.server.port));
        f.debug_struct("Dialer").field("proxy", &proxy).finish()
    }
}

impl Dialer {
    /// Connects directly.
    #[must_use]
    pub fn direct() -> Self {
        Self { proxy: None }
    }

    /// Connects through a proxy; `tls` is for proxies reached by `https`.
    #[must_use]
    pub fn through(server: ProxyServer, tls: Arc<ClientConfig>) -> Self {
        let proxy = Some(Arc::new(Proxy { server, tls }));
        Self { proxy }
    }

    /// Opens a connection to `host:port`. `setting` names the property the host comes from, for
    /// errors.
    ///
    /// # Errors
    ///
    /// [`LinkError`].
    pub async fn dial(
        &self,
        host: &str,
        port: u16,
        setting: &'static str,
    ) -> Result<BoxConnection, LinkError> {
        let Some(proxy) = &self.proxy else {
            let direct = connect(host, port, setting).await?;
            return Ok(Box::new(direct));
        };
        let server = &proxy.server;
        let stream = connect(&server.host, server.port, "proxy_server").await?;
        let mut stream: BoxConnection = match server.scheme {
            ProxyScheme::Http => Box::new(stream),
            ProxyScheme::Https => {
                let name = server_name(&server.host, "proxy_server")?;
                secure(Box::new(stream), Arc::clone(&proxy.tls), name).await?
            }
        };
        let tunnel = open_tunnel(&mut stream, host, port, server.credentials.as_ref());
        within("the forward proxy's answer", HANDSHAKE, tunnel).await?;
        Ok(stream)
    }
}

/// Makes TLS on a connection.
pub(super) async fn secure(
    stream: BoxConnection,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<BoxConnection, LinkError> {
    let shown = name.to_str().into_owned();
    let handshake = async {
        TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| LinkError::Tls {
                name: shown,
                reason: explain_tls(&error),
            })
    };
    let stream = within("the TLS handshake", HANDSHAKE, handshake).await?;
    Ok(Box::new(stream))
}

fn explain_tls(error: &std::io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::General(text)) => text.clone(),
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("the server's certificate is not acceptable: {reason}")
        }
        Some(rustls::Error::AlertReceived(alert)) => format!(
            "the server refused the handshake ({alert:?}); check `cluster_cert` and the name asked \
             for"
        ),
        _ => error.to_string(),
    }
}

/// Reads a TLS server name.
pub(super) fn server_name(
    name: &str,
    setting: &'static str,
) -> Result<ServerName<'static>, LinkError> {
    ServerName::try_from(name.to_owned()).map_err(|_| LinkError::Setting {
        setting,
        reason: format!("`{name}` is no host name"),
    })
}

async fn connect(host: &str, port: u16, setting: &'static str) -> Result<TcpStream, LinkError> {
    let resolving = async {
        resolve(host, port)
            .await
            .map_err(|error| LinkError::Resolve {
                host: host.to_owned(),
                setting,
                reason: error.to_string(),
            })
    };
    let addresses = within("resolving the name", CONNECT, resolving).await?;
    let mut reason = String::new();
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(prepared(stream, address)),
            Ok(Err(error)) => reason = error.to_string(),
            Err(_) => reason = format!("no answer within {CONNECT:?}"),
        }
    }
    Err(LinkError::Connect {
        address: with_port(host, port),
        setting,
        reason,
    })
}

fn prepared(stream: TcpStream, address: SocketAddr) -> TcpStream {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE);
    let set = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    if let Err(error) = set.and_then(|()| stream.set_nodelay(true)) {
        tracing::debug!(%address, %error, "socket options were not set");
    }
    stream
}

/// `host:port`, with brackets around IPv6 addresses.
pub(super) fn with_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

pub(super) async fn within<T>(
    what: &'static str,
    limit: Duration,
    step: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    timeout(limit, step)
        .await
        .unwrap_or(Err(LinkError::Slow(what, limit)))
}
