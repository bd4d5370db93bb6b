//! The protocols that services, routes and plugins speak of.

use std::fmt;
use std::str::FromStr;

/// A protocol name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// gRPC over cleartext HTTP/2.
    Grpc,
    /// gRPC over TLS.
    Grpcs,
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// A TCP stream.
    Tcp,
    /// A TLS stream.
    Tls,
    /// A TLS stream that is not ended here.
    TlsPassthrough,
    /// Datagrams.
    Udp,
}

impl Protocol {
    /// All names, in the order of messages.
    pub const NAMES: [&'static str; 8] = [
        "grpc",
        "grpcs",
        "http",
        "https",
        "tcp",
        "tls",
        "tls_passthrough",
        "udp",
    ];

    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::TlsPassthrough => "tls_passthrough",
            Self::Udp => "udp",
        }
    }

    /// Whether the protocol implies TLS towards the upstream.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Grpcs | Self::Https | Self::Tls)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a protocol")]
pub struct UnknownProtocol;

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        Ok(match text {
            "grpc" => Self::Grpc,
            "grpcs" => Self::Grpcs,
            "http" => Self::Http,
            "https" => Self::Https,
            "tcp" => Self::Tcp,
            "tls" => Self::Tls,
            "tls_passthrough" => Self::TlsPassthrough,
            "udp" => Self::Udp,
            _ => return Err(UnknownProtocol),
        })
    }
}
