//! A small HTTP client whose every step a test can choose: address, server name, host, trust,
//! client certificate.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// Panics when it is not JSON, with the text that came.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's first value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A client certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate chain.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// Sends requests to a loopback port; every request is a connection of its own.
#[derive(Clone, Debug, Default)]
pub struct Client {
    ca: Option<String>,
    identity: Option<Identity>,
    token: Option<String>,
    server_name: Option<String>,
    is_http2: bool,
}

impl Client {
    /// A client that trusts nobody and has no credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authority given as PEM.
    #[must_use]
    pub fn trusting(mut self, ca_pem: &str) -> Self {
        self.ca = Some(ca_pem.to_owned());
        self
    }

    /// Presents a client certificate when it is asked for one.
    #[must_use]
    pub fn identified(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// Sends `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Sends this server name in the handshake whatever the URL's host is.
    #[must_use]
    pub fn server_name(mut self, name: &str) -> Self {
        self.server_name = Some(name.to_owned());
        self
    }

    /// Speaks HTTP/2 (by ALPN over TLS, with prior knowledge otherwise).
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// `GET url`.
    ///
    /// # Errors
    ///
    /// Any failure to connect, to shake hands or to read an answer, as text.
    pub async fn get(&self, url: &str) -> Result<Answer, String> {
        self.send("GET", url, &[], Bytes::new()).await
    }

    /// Sends a JSON body.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub async fn json(
        &self,
        method: &str,
        url: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, String> {
        let headers = [("content-type", "application/json")];
        self.send(method, url, &headers, Bytes::from(body.to_string()))
            .await
    }

    /// Sends a request. The URL's host is sent as `Host` and as server name; the connection
    /// goes to the URL's port on 127.0.0.1, whatever the host.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let uri: http::Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let request = self.request(method, &uri, headers, body)?;
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(text)?;
        if is_tls {
            let host = uri
                .host()
                .unwrap_or_default()
                .trim_matches(['[', ']'])
                .to_owned();
            let stream = self.shake_hands(stream, &host).await?;
            self.exchange(stream, request).await
        } else {
            self.exchange(stream, request).await
        }
    }

    fn request(
        &self,
        method: &str,
        uri: &http::Uri,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let path = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if self.is_http2 {
            uri.to_string()
        } else {
            path.to_owned()
        };
        let mut request = Request::builder().method(method).uri(target);
        let has_host = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if !has_host && !self.is_http2 {
            request = request.header("host", authority);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).map_err(text)
    }

    /// Opens TLS on a connected stream.
    ///
    /// # Errors
    ///
    /// The handshake's failure as text.
    pub async fn shake_hands(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
        let connector = TlsConnector::from(Arc::new(self.tls()?));
        let name = self.server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(text)?;
        connector.connect(name, stream).await.map_err(text)
    }

    fn tls(&self) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        for certificate in parse_certificates(self.ca.as_deref().unwrap_or_default())? {
            roots.add(certificate).map_err(text)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(text)?
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = parse_certificates(&identity.certificate)?;
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(text)?;
                builder.with_client_auth_cert(chain, key).map_err(text)?
            }
        };
        if self.is_http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        Ok(config)
    }

    async fn exchange<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(stream);
        let response = if self.is_http2 {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io)
                .await
                .map_err(text)?;
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(text)?
        } else {
            let (mut sender, connection) = http1::handshake(io).await.map_err(text)?;
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(text)?
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(text)?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

fn parse_certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
