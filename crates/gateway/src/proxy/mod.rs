//! The data path: from a client connection to a service and back.
//!
//! One [`Engine`] per node, one core per thread. What a request runs under is a
//! [`crate::snapshot::Snapshot`]; the engine never looks at configuration in any other form.

mod access_log;
mod attempt;
mod client;
mod config;
mod connection;
mod core;
mod counters;
mod engine;
mod errors;
mod forwarded;
mod link;
mod listener;
mod logging;
mod plugins;
mod relay;
mod reply;
mod request_head;
mod response_head;
mod routing;
mod server;
mod transaction;
mod tunnel;
mod work;

pub use self::engine::{Engine, EngineError, EngineHandle, EngineOptions};
pub use counters::Counters;

#[cfg(test)]
mod tests;
