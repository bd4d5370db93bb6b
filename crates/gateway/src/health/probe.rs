//! One probe of one address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use balancer::Outcome;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Limit: bytes in which the status line must be found.
const STATUS_LINE_MAX: usize = 1024;

/// How a probe looks.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) socket: SocketAddr,
    /// `None` for probes in clear, or without trust to verify by.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) server_name: String,
    /// The request, without its version; nothing where a connection is enough.
    pub(super) request: Option<Request>,
    /// Limit for each step.
    pub(super) timeout: Duration,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) host: String,
    pub(super) headers: Vec<(String, Vec<String>)>,
}

/// Why a probe has no answer.
enum Fault {
    Broken,
    Late,
}

impl Probe {
    /// Sends the probe.
    ///
    /// Compat: an answer 426 or 505 leads to one more probe, with HTTP/1.0.
    pub(super) async fn send(&self) -> Outcome {
        let outcome = self.once("1.1").await;
        match outcome {
            Outcome::Status(426 | 505) => self.once("1.0").await,
            outcome => outcome,
        }
    }

    async fn once(&self, version: &str) -> Outcome {
        match self.exchange(version).await {
            Ok(None) => Outcome::Connected,
            Ok(Some(status)) => Outcome::Status(status),
            Err(Fault::Broken) => Outcome::ConnectionFailure,
            Err(Fault::Late) => Outcome::Timeout,
        }
    }

    async fn exchange(&self, version: &str) -> Result<Option<u16>, Fault> {
        let stream = self.within(TcpStream::connect(self.socket)).await?;
        let Some(config) = &self.tls else {
            return self.ask(stream, version).await;
        };
        let name = ServerName::try_from(self.server_name.clone()).map_err(|_| Fault::Broken)?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = self.within(connector.connect(name, stream)).await?;
        self.ask(stream, version).await
    }

    async fn ask<S>(&self, mut stream: S, version: &str) -> Result<Option<u16>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(request) = &self.request else {
            return Ok(None);
        };
        let text = request.text(version);
        self.within(stream.write_all(text.as_bytes())).await?;
        self.within(stream.flush()).await?;
        let mut line = Vec::new();
        loop {
            let mut piece = [0; 512];
            let count = self.within(stream.read(&mut piece)).await?;
            line.extend_from_slice(&piece[..count]);
            if let Some(status) = status_of(&line) {
                return Ok(Some(status));
            }
            if count == 0 || line.len() >= STATUS_LINE_MAX || line.contains(&b'\n') {
                return Err(Fault::Broken);
            }
        }
    }

    async fn within<T>(&self, step: impl Future<Output = io::Result<T>>) -> Result<T, Fault> {
        match tokio::time::timeout(self.timeout, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(Fault::Late),
            Ok(Err(_)) => Err(Fault::Broken),
            Err(_) => Err(Fault::Late),
        }
    }
}

impl Request {
    fn text(&self, version: &str) -> String {
        let mut text = format!("GET {} HTTP/{version}\r\nConnection: close\r\n", self.path);
        for (name, values) in &self.headers {
            for value in values {
                // What would end the line is no value.
                let value: String = value.chars().filter(|c| !c.is_control()).collect();
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        text.push_str(&format!("Host: {}\r\n\r\n", self.host));
        text
    }
}

/// The status of an answer, once its first line is there as far as the status.
pub(crate) fn status_of(received: &[u8]) -> Option<u16> {
    let rest = received.strip_prefix(b"HTTP/1.")?;
    let [b'0'..=b'9', b' ', digits @ ..] = rest else {
        return None;
    };
    let (digits, end) = digits.split_at_checked(3)?;
    if !matches!(end.first(), Some(b' ' | b'\r' | b'\n')) {
        return None;
    }
    let status: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (digits.iter().all(u8::is_ascii_digit) && status >= 100).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_once_it_is_whole() {
        let cases: [(&[u8], Option<u16>); 10] = [
            (b"HTTP/1.1 200 OK\r\n", Some(200)),
            (b"HTTP/1.0 503\r\n", Some(503)),
            (b"HTTP/1.1 404\n", Some(404)),
            (b"HTTP/1.1 20", None),
            (b"HTTP/1.1 200", None),
            (b"HTTP/1.1 2000 \r\n", None),
            (b"HTTP/1.1 +20 \r\n", None),
            (b"HTTP/1.1 099 \r\n", None),
            (b"HTTP/2.0 200 OK\r\n", None),
            (b"", None),
        ];
        for (line, expected) in cases {
            assert_eq!(status_of(line), expected, "{}", line.escape_ascii());
        }
    }
}
