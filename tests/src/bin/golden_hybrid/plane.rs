//! The wire ends of a replay: a TLS port that plays the control plane, and a TLS connection that
//! plays a node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pki::verifiers::{AnchoredServer, AnyClient};
use pki::{Issued, Roots, certified_key, crypto_provider};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ServerConfig};
use test_support::Identity;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Longest wait for anything; nodes come back after 10 s at most.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A port that plays the control plane.
pub(crate) struct Port {
    listener: TcpListener,
}

impl Port {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Waits for a node; the error says how the handshake failed.
    pub(crate) async fn accept(
        &self,
        issued: &Issued,
    ) -> Result<server::TlsStream<TcpStream>, String> {
        let key = certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyClient::optional()))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        let wait = async {
            let (stream, _) = self.listener.accept().await.map_err(|e| e.to_string())?;
            let acceptor = TlsAcceptor::from(Arc::new(config));
            acceptor.accept(stream).await.map_err(|e| e.to_string())
        };
        timeout(LIMIT, wait)
            .await
            .map_err(|_| "no node came".to_owned())?
    }
}

/// Connects as a node to a platform's host.
pub(crate) async fn connect(
    port: u16,
    host: &str,
    ca: &str,
    identity: Option<&Identity>,
) -> client::TlsStream<TcpStream> {
    let roots = Roots::from_pem(ca.as_bytes()).unwrap();
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnchoredServer::new(roots)));
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = (identity.certificate.as_bytes(), identity.key.as_bytes());
            let key = certified_key(key.0, key.1).unwrap();
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
    };
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = host.to_owned().try_into().unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    timeout(LIMIT, connecting).await.unwrap().unwrap()
}

/// Reads a message head.
pub(crate) async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await.map_err(|error| error.to_string())?;
            bytes.push(byte);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    timeout(LIMIT, read)
        .await
        .map_err(|_| "nothing came".to_owned())?
}

/// Sends text.
pub(crate) async fn send<S: AsyncWriteExt + Unpin>(stream: &mut S, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

/// A header's value in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
