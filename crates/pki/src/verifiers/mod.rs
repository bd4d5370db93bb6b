//! rustls verifiers for the links between nodes and control planes.
//!
//! | verifier | checks in the handshake | left to the application |
//! | --- | --- | --- |
//! | [`AnyClient`] | that the client holds the key of what it presents | which certificates may come in |
//! | [`PinnedServer`] | that the server presents exactly the pinned certificate | – |
//! | [`AnchoredServer`] | chain, name, dates, against roots and extra authorities | – |
//!
//! Deliberately not here: a verifier that accepts every server.

mod anchored;
mod any_client;
mod pinned;
pub(crate) mod signature;

pub use anchored::AnchoredServer;
pub use any_client::AnyClient;
pub use pinned::PinnedServer;
