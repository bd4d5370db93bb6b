//! A place to send requests to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::health::Health;

/// One address of a target of an upstream.
#[derive(Debug, Clone)]
pub struct Address {
    /// Host name or address of the target, without brackets, as configured.
    pub host: String,
    /// Port of the target, as configured.
    pub port: u16,
    /// Where its name led to; the port may be that of a service record.
    pub socket: SocketAddr,
    /// The name shown to it where neither service nor upstream have one: the target's, or that of a service
    /// record.
    pub name: String,
    /// Share of the traffic; 0 gets none.
    pub weight: u32,
    /// How it does; shared by everything that talks to it.
    pub health: Arc<Health>,
}

impl Address {
    /// An address of a target that is an address itself.
    #[must_use]
    pub fn literal(socket: SocketAddr, weight: u32) -> Self {
        let host = socket.ip().to_string();
        Self {
            name: host.clone(),
            host,
            port: socket.port(),
            socket,
            weight,
            health: Arc::default(),
        }
    }

    /// Whether it takes part in picking at all.
    pub(crate) const fn has_weight(&self) -> bool {
        self.weight > 0
    }

    /// The address as the ring of the reference writes it: IPv6 in brackets.
    pub(crate) fn ip_text(&self) -> String {
        match self.socket.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        }
    }

    /// The `Host` value towards it: with its port, unless that is `default`.
    pub(crate) fn host_value(&self, default: u16) -> Bytes {
        let is_v6 = self.name.contains(':') && !self.name.starts_with('[');
        let name = match is_v6 {
            true => format!("[{}]", self.name),
            false => self.name.clone(),
        };
        if self.socket.port() == default {
            return Bytes::from(name);
        }
        Bytes::from(format!("{name}:{}", self.socket.port()))
    }
}
