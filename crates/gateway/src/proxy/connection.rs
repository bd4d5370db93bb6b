//! What is known of a client connection, prepared once when it is accepted.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use plugin_api::{ClientInfo, Scheme};

/// The end of a `Host` line and the `Connection` line behind it.
pub(crate) const KEEP_ALIVE: &str = "\r\nConnection: keep-alive\r\n";

/// A client connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The client side as plugins see it, with the peer as client.
    pub(crate) client: ClientInfo,
    /// Lines towards services, one behind the other in one piece of memory.
    lines: Box<[u8]>,
    /// Where the second and the third of them begin.
    middle_at: u16,
    real_ip_at: u16,
    /// Whether the peer is in `trusted_ips`.
    pub(crate) is_trusted: bool,
}

impl Connection {
    /// Prepares what every request of the connection needs.
    pub(crate) fn new(client: ClientInfo, port: u16, is_trusted: bool) -> Self {
        let ip = String::from_utf8_lossy(&client.ip_text).into_owned();
        let scheme = client.scheme.as_str();
        let front = format!(
            "{KEEP_ALIVE}X-Forwarded-For: {ip}\r\nX-Forwarded-Proto: {scheme}\r\n\
             X-Forwarded-Host: "
        );
        let middle = format!("\r\nX-Forwarded-Port: {port}\r\nX-Forwarded-Path: ");
        let at = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        Self {
            middle_at: at(front.len()),
            real_ip_at: at(front.len() + middle.len()),
            lines: [front, middle, format!("X-Real-IP: {ip}\r\n")]
                .concat()
                .into_bytes()
                .into(),
            client,
            is_trusted,
        }
    }

    /// [`KEEP_ALIVE`], then `X-Forwarded-For` to `X-Forwarded-Host: ` for a peer that is not
    /// trusted: what most requests have behind the value of `Host`.
    pub(crate) fn forwarded_front(&self) -> &[u8] {
        &self.lines[..usize::from(self.middle_at)]
    }

    /// `X-Forwarded-Port` to `X-Forwarded-Path: `.
    pub(crate) fn forwarded_middle(&self) -> &[u8] {
        &self.lines[usize::from(self.middle_at)..usize::from(self.real_ip_at)]
    }

    /// `X-Real-IP` with CR LF.
    pub(crate) fn real_ip_line(&self) -> &[u8] {
        &self.lines[usize::from(self.real_ip_at)..]
    }

    /// The client side of a fresh connection.
    pub(crate) fn client_info(
        peer: SocketAddr,
        local: SocketAddr,
        server_name: Option<&str>,
        is_tls: bool,
        number: u64,
    ) -> ClientInfo {
        let peer = SocketAddr::new(plain_ip(peer.ip()), peer.port());
        ClientInfo {
            peer,
            ip: peer.ip(),
            ip_text: Bytes::from(peer.ip().to_string()),
            port: peer.port(),
            local: SocketAddr::new(plain_ip(local.ip()), local.port()),
            scheme: if is_tls { Scheme::Https } else { Scheme::Http },
            server_name: server_name.map(|name| Bytes::copy_from_slice(name.as_bytes())),
            is_peer_trusted: false,
            connection: number,
            request: 0,
        }
    }

    /// Whether the client speaks TLS to us.
    pub(crate) fn is_tls(&self) -> bool {
        self.client.scheme == Scheme::Https
    }
}

/// An IPv4 address that came in over an IPv6 socket, as what it is.
fn plain_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
