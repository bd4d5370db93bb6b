//! A connection of a delivering thread, plain or with TLS.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pki::{Roots, crypto_provider};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Where to connect.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Server name for TLS; none speaks plainly.
    pub(crate) tls_name: Option<String>,
    /// To connect, to send and to receive.
    pub(crate) timeout: Duration,
    /// How long an idle connection is kept.
    pub(crate) keepalive: Duration,
}

/// A stream that is either.
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection that is opened when it is needed and kept for a while.
pub(crate) struct Connection {
    target: Target,
    open: Option<(Stream, u64)>,
}

impl Connection {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, open: None }
    }

    /// Does something with the connection. One that was kept and turns out to be dead is opened
    /// anew, once; one that fails is closed.
    pub(crate) fn with<T>(
        &mut self,
        mut act: impl FnMut(&mut dyn Duplex) -> io::Result<T>,
    ) -> io::Result<T> {
        let now = clock::unix_millis();
        let keepalive = u64::try_from(self.target.keepalive.as_millis()).unwrap_or(u64::MAX);
        let kept = self.open.take();
        let kept = kept.filter(|(_, used)| now.saturating_sub(*used) < keepalive);
        if let Some((mut stream, _)) = kept
            && let Ok(done) = act(&mut stream)
        {
            self.open = Some((stream, clock::unix_millis()));
            return Ok(done);
        }
        let mut stream = connect(&self.target)?;
        let done = act(&mut stream)?;
        self.open = Some((stream, clock::unix_millis()));
        Ok(done)
    }

    /// Closes the connection after use.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }
}

/// Something to read from and write to.
pub(crate) trait Duplex: Read + Write {}

impl Duplex for Stream {}

fn connect(target: &Target) -> io::Result<Stream> {
    let addresses = (target.host.as_str(), target.port).to_socket_addrs()?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect_timeout(&address, target.timeout) {
            Ok(stream) => return prepare(stream, target),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn prepare(stream: TcpStream, target: &Target) -> io::Result<Stream> {
    stream.set_read_timeout(Some(target.timeout))?;
    stream.set_write_timeout(Some(target.timeout))?;
    stream.set_nodelay(true)?;
    let Some(name) = &target.tls_name else {
        return Ok(Stream::Plain(stream));
    };
    let name = ServerName::try_from(name.clone()).map_err(io::Error::other)?;
    let session = ClientConnection::new(tls()?, name).map_err(io::Error::other)?;
    Ok(Stream::Tls(Box::new(StreamOwned::new(session, stream))))
}

/// TLS with the certificate authorities that the machine trusts.
fn tls() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let roots = Roots::system().unwrap_or_else(|_| Roots::empty());
    let config = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots.to_store())
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A number of milliseconds of a configuration, at least one.
pub(crate) fn milliseconds(number: f64) -> Duration {
    const LONGEST: f64 = 2_147_483_646.0;
    Duration::from_secs_f64(number.clamp(1.0, LONGEST) / 1000.0)
}
