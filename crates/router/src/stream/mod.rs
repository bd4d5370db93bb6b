//! Which route a connection of layer 4 belongs to: by its protocol, server name, and both ends.
//!
//! Reads no bytes: the caller has looked for a server name before it asks. A connection over TLS is asked
//! about twice, first as `TlsPassthrough`, and when nothing fits, after the handshake, as `Tls`.

mod lane;
mod order;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub(crate) use table::{StreamEntry, StreamTable};

/// How a connection of layer 4 is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamProtocol {
    /// Bytes over TCP.
    Tcp,
    /// Bytes over TLS that ends at the node.
    Tls,
    /// Datagrams.
    Udp,
    /// Bytes over TLS that is passed on untouched.
    TlsPassthrough,
}

impl StreamProtocol {
    const ALL: [Self; 4] = [Self::Tcp, Self::Tls, Self::Udp, Self::TlsPassthrough];

    /// Whether a server name can be there.
    const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsPassthrough)
    }

    /// What the field `net.protocol` of expressions holds.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Tls | Self::TlsPassthrough => "tls",
        }
    }

    /// The protocol of a route that this one is matched by.
    const fn of_routes(self) -> entities::Protocol {
        match self {
            Self::Tcp => entities::Protocol::Tcp,
            Self::Tls => entities::Protocol::Tls,
            Self::Udp => entities::Protocol::Udp,
            Self::TlsPassthrough => entities::Protocol::TlsPassthrough,
        }
    }
}

/// One connection, or one exchange of datagrams, as far as routing is concerned.
#[derive(Debug, Clone, Copy)]
pub struct StreamQuery<'a> {
    /// How it is carried.
    pub protocol: StreamProtocol,
    /// The server name that the client asked for; only looked at over TLS.
    pub sni: Option<&'a str>,
    /// Address and port of the client.
    pub source: (IpAddr, u16),
    /// Address and port of the listener.
    pub destination: (IpAddr, u16),
}
