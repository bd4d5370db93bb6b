//! The data path: from a client connection to a service and back.
//!
//! One [`Engine`] per node, one core per thread. What a request runs under is a
//! [`crate::snapshot::Snapshot`]; the engine never looks at configuration in any other form.

mod access_log;
mod answering;
pub(crate) mod attempt;
mod balancing;
pub(crate) mod client;
mod config;
pub(crate) mod connection;
pub(crate) mod core;
mod counters;
mod engine;
mod errors;
mod explaining;
mod filters;
mod forwarded;
mod hashing;
pub(crate) mod link;
pub(crate) mod listener;
mod logging;
mod plugins;
pub(crate) mod proxy_header;
mod relay;
pub(crate) mod reply;
mod request_head;
mod response_head;
mod routing;
mod runner;
mod server;
mod shelf;
mod templates;
pub(crate) mod transaction;
pub(crate) mod tunnel;
pub(crate) mod work;

pub use self::engine::{Engine, EngineError, EngineHandle, EngineOptions};
pub(crate) use self::logging::write_common as write_common_time;
pub use counters::Counters;
pub use templates::TemplateError;

#[cfg(test)]
pub(crate) mod tests;
