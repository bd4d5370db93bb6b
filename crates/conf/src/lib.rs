//! The settings of a node: `kong.conf`, `KONG_*` variables and built-in defaults, as types.
//!
//! Everything derives from one table of properties ([`properties`]): what is accepted, the
//! defaults, the documentation ([`reference_markdown`]) and whether Gatehouse acts on it.
//! [`Settings::load`] reads, checks and reports all mistakes at once, each with the property, its
//! value, where it was set and what to do.
//!
//! Deliberately not here: entities and their configuration, and reading the environment (the
//! binary passes it in).

mod error;
mod load;
mod notice;
mod properties;
mod reference;
mod secret;
mod settings;
mod values;

pub use error::{ConfError, Origin};
pub use load::LoadOptions;
pub use notice::Notice;
pub use properties::{Effect, Kind, Property, Section, properties, property};
pub use reference::reference_markdown;
pub use secret::Secret;
pub use settings::Settings;
pub use values::{
    Cidr, CipherSuite, ClusterMtls, Credentials, Database, DnsFamily, DnsSettings, Endpoint,
    ErrorType, HeaderBuffers, HeaderTokens, Keepalive, Listen, LogLevel, LogTarget, Ocsp, PortMap,
    Postgres, ProxyScheme, ProxyServer, RealIpHeader, Role, RouterFlavor, Selection, TlsSuite,
    TlsVersions, Trust, UpstreamHeaders,
};
