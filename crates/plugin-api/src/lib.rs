//! The contract of a plugin: how it is described, when it runs, what it sees of a request and
//! what it may change.
//!
//! Three parts meet here. A plugin hands in a [`Definition`] and builds [`Handler`]s from
//! configuration. The node compiles those into one [`Chain`] per route and service, off the
//! data path. The engine fills a [`HeadIndex`] for every head it reads and drives the chain with
//! an [`Exchange`], which is the only thing a handler sees of the node.
//!
//! Costs, in the order in which they were decided: an empty chain costs one comparison; a
//! handler is reached by index, never by name; a handler that has nothing to wait for answers
//! [`Step::Done`] without allocating; strings that are the same for every request are `Bytes`
//! prepared when the chain is built.
//!
//! This room opens no socket, knows no runtime and reads no configuration file.

mod chain;
mod database;
mod definition;
mod edits;
mod exchange;
mod handler;
mod head;
mod info;
mod lookups;
mod progress;
mod query;
mod reply;
mod secrets;
mod shared;
mod shares;

pub use chain::{Bound, Chain, ConsumerMap, Entry};
pub use database::{Addition, Database, DatabaseError, DatabaseFuture};
pub use definition::{
    ALL_PROTOCOLS, Build, BuildContext, BuildError, COMPATIBLE_VERSION, CredentialKind, Definition,
    HTTP_PROTOCOLS, Instruments, Needs, NodeInfo, Phases, PluginInput, PrepareCredential, Scopes,
    Tracing,
};
pub use edits::{HeaderEdits, RequestEdits, ResponseEdits, ServiceEdits};
pub use exchange::{Exchange, Hello, Identity, Locals, ResponseView};
pub use handler::{BodyChunk, Handler, LocalBoxFuture, Outcome, Preread, Step, Verdict};
pub use head::{Head, HeadIndex, HeaderSpan, HttpVersion, Span};
pub use info::{
    ClientInfo, ConsumerInfo, CredentialInfo, RouteInfo, Scheme, ServiceInfo, document,
};
pub use lookups::{CredentialEntry, CredentialIndex, CredentialSlot, Lookups, LookupsBuilder};
pub use progress::{Run, failures};
pub use query::{decode as decode_query, pairs as query_pairs, parameter as query_parameter};
pub use reply::{Reply, ReplyBody, ResponseSource};
pub use secrets::{ReadSecret, Secrets};
pub use shared::Shared;
pub use shares::{GrantShares, ShareAsked, ShareFuture, ShareGranted, Shares};

#[cfg(test)]
mod tests;
