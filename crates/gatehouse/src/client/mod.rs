//! A small HTTP client: the platform's API over TLS, and a node's ports over plain HTTP.
//!
//! One request, one connection. Names below `.localhost` are loopback without asking anybody
//! (RFC 6761), because many systems do not resolve them.

mod access;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) use access::{api, facts};

/// Time to connect, the TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for an answer; imports of large files take a while.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ClientError {
    /// The URL is not one.
    #[error("`{url}` is not an address: write https://host or https://host:port")]
    Url {
        /// What was given.
        url: String,
    },
    /// Nobody listens, or TLS failed.
    #[error("cannot reach `{authority}`: {reason}")]
    Connect {
        /// Host and port.
        authority: String,
        /// Why.
        reason: String,
    },
    /// The connection ended within a request.
    #[error("`{authority}` gave no answer: {reason}")]
    Answer {
        /// Host and port.
        authority: String,
        /// Why.
        reason: String,
    },
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON, or null.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A body with its type.
pub(crate) struct Content {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Bytes,
}

impl Content {
    pub(crate) fn json(value: &Value) -> Self {
        Self {
            kind: "application/json",
            bytes: Bytes::from(value.to_string()),
        }
    }
}

/// One server and how to speak to it.
#[derive(Clone)]
pub(crate) struct Client {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    token: Option<String>,
}

impl Client {
    /// A server by URL. `roots` vouch for it when the URL is `https`.
    pub(crate) fn new(
        url: &str,
        roots: pki::Roots,
        token: Option<String>,
    ) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url {
            url: url.to_owned(),
        };
        let (is_tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            _ => return Err(wrong()),
        };
        let default_port = if is_tls { 443 } else { 80 };
        let endpoint = conf::Endpoint::parse(rest, default_port).map_err(|_| wrong())?;
        if !endpoint.path.is_empty() {
            return Err(wrong());
        }
        let tls = is_tls.then(|| connector(roots)).transpose()?;
        Ok(Self {
            host: endpoint.host,
            port: endpoint.port,
            tls,
            token,
        })
    }

    /// A port of this machine, over plain HTTP.
    #[cfg(feature = "platform-side")]
    pub(crate) fn loopback(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
            token: None,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.call(Method::GET, path, None).await
    }

    /// Sends one request and reads the whole answer.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        content: Option<Content>,
    ) -> Result<Answer, ClientError> {
        let stream = self.connect();
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, stream).await;
        let late = || "it does not answer; is it running?".to_owned();
        let stream = stream.map_err(|_| late()).and_then(|connected| connected);
        let authority = self.authority();
        let stream = stream.map_err(|reason| ClientError::Connect {
            authority: authority.clone(),
            reason,
        })?;
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, self.ask(stream, method, path, content));
        let answer = asked.await.map_err(|_| "it takes too long".to_owned());
        answer
            .and_then(|answer| answer)
            .map_err(|reason| ClientError::Answer { authority, reason })
    }

    fn authority(&self) -> String {
        let default_port = if self.tls.is_some() { 443 } else { 80 };
        if self.port == default_port {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let is_loopback = self.host == "localhost" || self.host.ends_with(".localhost");
        let host = if is_loopback { "127.0.0.1" } else { &self.host };
        let tcp = TcpStream::connect((host, self.port))
            .await
            .map_err(|error| error.to_string())?;
        drop(tcp.set_nodelay(true));
        let Some(tls) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let name = rustls::pki_types::ServerName::try_from(self.host.clone());
        let name = name.map_err(|error| error.to_string())?;
        let stream = tls
            .connect(name, tcp)
            .await
            .map_err(|error| tls_text(&error))?;
        Ok(Box::new(stream))
    }

    async fn ask(
        &self,
        stream: Box<dyn Stream>,
        method: Method,
        path: &str,
        content: Option<Content>,
    ) -> Result<Answer, String> {
        let text = |error: hyper::Error| error.to_string();
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(text)?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.authority())
            .header(USER_AGENT, concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(content) = &content {
            request = request.header(CONTENT_TYPE, content.kind);
        }
        let body = Full::new(content.map(|content| content.bytes).unwrap_or_default());
        let request = request.body(body).map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(text)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| error.to_string())?;
        Ok(Answer {
            status,
            body: body.to_bytes(),
        })
    }
}

/// Our verifiers explain themselves; rustls puts words before what they say.
fn tls_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("unexpected error: ")
        .unwrap_or(&text)
        .to_owned()
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn connector(roots: pki::Roots) -> Result<TlsConnector, ClientError> {
    let verifier = Arc::new(pki::verifiers::AnchoredServer::new(roots));
    let builder = ClientConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Url {
            url: error.to_string(),
        })?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
