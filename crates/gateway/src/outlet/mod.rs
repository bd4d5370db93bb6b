//! The node's link to its control plane (protocol v1).
//!
//! It dials, directly or through a forward proxy, keeps the link alive and hands every pushed
//! configuration to an [`Apply`], newest first. It does not judge configurations: the intake
//! does. The same dialer serves the telemetry link.

mod apply;
mod client;
mod dial;
mod error;
mod head;
mod info;
mod link;
mod node_id;
mod proxy;
mod resolve;
mod shares;
mod tls;

pub use apply::Apply;
pub use client::{Client, ClientOptions, LinkState};
pub use dial::{BoxConnection, Connection, Dialer};
pub use error::LinkError;
pub use info::basic_info;
pub use link::{Identity, Link};
pub use node_id::node_id;
pub use resolve::resolve;
pub use shares::ShareLink;
