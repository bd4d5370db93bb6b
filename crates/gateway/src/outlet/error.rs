//! Why there is no link, in words that say what to do.

use std::time::Duration;

/// Why a link could not be opened or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A setting cannot be used.
    #[error("`{setting}` cannot be used: {reason}")]
    Setting {
        /// Name of the property.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The name has no address.
    #[error("`{host}` cannot be resolved: {reason}; check the name in `{setting}`")]
    Resolve {
        /// The name.
        host: String,
        /// The property it comes from.
        setting: &'static str,
        /// What the resolver said.
        reason: String,
    },
    /// Nobody answers there.
    #[error("`{address}` cannot be reached: {reason}; check `{setting}` and the firewall")]
    Connect {
        /// Host and port.
        address: String,
        /// The property it comes from.
        setting: &'static str,
        /// What the system said.
        reason: String,
    },
    /// The proxy wants other credentials.
    #[error(
        "the forward proxy refuses the credentials (407); check user and password in \
         `proxy_server`"
    )]
    ProxyCredentials,
    /// The proxy does not open the tunnel.
    #[error("the forward proxy does not connect to `{target}`: {reason}")]
    Proxy {
        /// Host and port asked for.
        target: String,
        /// What it answered and what that means.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("TLS with `{name}` failed: {reason}")]
    Tls {
        /// Who was expected there.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// The control plane refuses this node.
    #[error("the control plane refuses the link with status {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its own words, or what the status means here.
        message: String,
    },
    /// The control plane asks to come back later.
    #[error("the control plane is busy (status {status})")]
    Busy {
        /// HTTP status.
        status: u16,
        /// The wait it asks for.
        retry_after: Option<Duration>,
    },
    /// What came is not the answer of a control plane.
    #[error("the answer to the upgrade cannot be read: {0}")]
    Answer(String),
    /// A step took too long.
    #[error("{0} took longer than {1:?}")]
    Slow(&'static str, Duration),
    /// The open link broke.
    #[error("the link broke: {0}")]
    Broken(String),
    /// Nothing was heard for too long.
    #[error("nothing was heard from the control plane for {0:?}")]
    Silent(Duration),
    /// A configuration arrived damaged.
    #[error("a configuration arrived damaged: {0}")]
    Damaged(String),
}
