//! Opening a connection, straight or through a forward proxy.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::trust::raise;

/// Largest answer of a forward proxy to `CONNECT`, in bytes.
const PROXY_HEAD_MAX: usize = 8 * 1024;

/// A stream of either kind.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where to connect.
#[derive(Clone, Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// Settings for TLS; none speaks plainly.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// A forward proxy on the way.
    pub(crate) proxy: Option<(&'a str, u16)>,
}

/// Opens a connection.
pub(crate) async fn dial(to: Dial<'_>) -> io::Result<Box<dyn Duplex>> {
    let (host, port) = to.proxy.unwrap_or((to.host, to.port));
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = to.tls else {
        return Ok(Box::new(stream));
    };
    if to.proxy.is_some() {
        tunnel(&mut stream, to.host, to.port).await?;
    }
    Ok(Box::new(raise(tls, to.host, stream).await?))
}

/// Asks a forward proxy for a tunnel.
async fn tunnel(stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > PROXY_HEAD_MAX {
            return Err(io::Error::other("the forward proxy does not speak HTTP"));
        }
        // Byte by byte: what follows the head belongs to the tunnel.
        head.push(stream.read_u8().await?);
    }
    let status = head.split(|b| *b == b' ').nth(1).unwrap_or_default();
    match status {
        b"200" => Ok(()),
        _ => Err(io::Error::other("the forward proxy refused the tunnel")),
    }
}
