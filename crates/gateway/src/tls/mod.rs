//! TLS of the data path: the client's side with certificates by server name, and the service's
//! side. rustls is driven directly, so that head and body leave in one record and one write.

mod server;
mod sessions;
mod stream;

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;

use crate::net::{Io, Plain};

pub(crate) use server::server_config;
pub(crate) use stream::TlsStream;

/// Opens TLS to a service.
pub(crate) async fn connect(
    config: Arc<ClientConfig>,
    server_name: &[u8],
    stream: TcpStream,
) -> io::Result<Box<dyn Io>> {
    let name = std::str::from_utf8(server_name).map_err(io::Error::other)?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = TlsStream::new(Plain(stream), connection.into());
    std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
    Ok(Box::new(stream))
}
