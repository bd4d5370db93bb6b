//! rustls verifiers: of the links between nodes and control planes, and of outgoing TLS.
//!
//! | verifier | checks in the handshake | left to the application |
//! | --- | --- | --- |
//! | [`AnyClient`] | that the client holds the key of what it presents | which certificates may come in |
//! | [`PinnedServer`] | that the server presents exactly the pinned certificate | – |
//! | [`AnchoredServer`] | chain, name, dates, against roots and extra authorities | – |
//! | [`AnyServer`] | that the server holds the key of what it presents | whom it reaches |
//!
//! Deliberately not here: which of them a connection uses.

mod anchored;
mod any_client;
mod any_server;
mod pinned;
pub(crate) mod signature;

pub use anchored::AnchoredServer;
pub use any_client::AnyClient;
pub use any_server::AnyServer;
pub use pinned::PinnedServer;
