//! Types of values, and how each is read from text.

mod address;
mod choice;
mod dns;
mod headers;
mod listen;
mod log_target;
mod postgres;
mod proxy_server;
mod quantity;
mod small;
mod suites;

pub use address::{Cidr, Endpoint, PortMap};
pub use choice::{
    CipherSuite, ClusterMtls, Database, DnsFamily, ErrorType, LogLevel, Ocsp, ProxyScheme, Role,
    RouterFlavor,
};
pub use dns::DnsSettings;
pub use headers::{HeaderTokens, UpstreamHeaders};
pub use listen::{Keepalive, Listen};
pub use log_target::LogTarget;
pub use postgres::Postgres;
pub use proxy_server::{Credentials, ProxyServer};
pub use quantity::HeaderBuffers;
pub use small::{RealIpHeader, Selection, TlsVersions, Trust};
pub use suites::TlsSuite;

pub(crate) use address::parse_labels;
pub(crate) use choice::Choice;
pub(crate) use listen::{Subsystem, parse_listeners};
pub(crate) use quantity::{parse_duration, parse_size};
pub(crate) use small::parse_workers;
