//! What a plugin may know about the parties of a request. Built once per connection or once per
//! configuration, never per request.

use std::any::Any;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An entity as JSON text: a tenth of the memory of its members, and ready to be logged.
#[must_use]
pub fn document(entity: &Map<String, Value>) -> Bytes {
    // Text as member names and JSON values cannot fail to be written.
    serde_json::to_vec(entity).unwrap_or_default().into()
}

/// Whether the client speaks TLS to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The client side of the connection.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// The peer's socket address.
    pub peer: SocketAddr,
    /// The client's address as far as trusted proxies tell it (`trusted_ips`,
    /// `real_ip_header`), else the peer's.
    pub ip: IpAddr,
    /// [`Self::ip`] as text.
    pub ip_text: Bytes,
    /// The client's port, as far as known.
    pub port: u16,
    /// Our side of the connection.
    pub local: SocketAddr,
    /// Whether the connection is encrypted.
    pub scheme: Scheme,
    /// Server name of the TLS handshake.
    pub server_name: Option<Bytes>,
    /// Whether the peer is in `trusted_ips`, so that what it says of the client counts.
    pub is_peer_trusted: bool,
    /// Number of this connection since the node started, from 1.
    pub connection: u64,
    /// Number of this request on the connection, from 1.
    pub request: u64,
}

/// The matched route.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// Id.
    pub id: Uuid,
    /// Id as text.
    pub id_text: Bytes,
    /// Name, if it has one.
    pub name: Option<Bytes>,
    /// The whole entity as JSON text, for plugins that log or echo it; see [`document`].
    pub document: Bytes,
}

/// The service of the matched route.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    /// Id.
    pub id: Uuid,
    /// Id as text.
    pub id_text: Bytes,
    /// Name, if it has one.
    pub name: Option<Bytes>,
    /// Its host: what names it where it has no name.
    pub host: Bytes,
    /// The whole entity as JSON text, for plugins that log or echo it; see [`document`].
    pub document: Bytes,
}

/// A known caller.
#[derive(Clone, Debug)]
pub struct ConsumerInfo {
    /// Id.
    pub id: Uuid,
    /// Id as text.
    pub id_text: Bytes,
    /// User name, unless the consumer has only a custom id.
    pub username: Option<Bytes>,
    /// Custom id.
    pub custom_id: Option<Bytes>,
    /// Groups the consumer belongs to, by name in alphabetical order.
    pub groups: Vec<Uuid>,
    /// The whole entity as JSON text, for plugins that log it.
    pub document: Bytes,
}

/// What proved the caller.
#[derive(Clone)]
pub struct CredentialInfo {
    /// Id of the credential.
    pub id: Uuid,
    /// Id as text.
    pub id_text: Bytes,
    /// What `X-Credential-Identifier` says: id, user name or another name, by plugin.
    pub identifier: Bytes,
    /// What the plugin prepared when the credential was loaded.
    pub prepared: Option<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for CredentialInfo {
    /// Leaves out what the plugin prepared: it may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialInfo")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
