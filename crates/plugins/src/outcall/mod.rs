//! Calls that a plugin makes while a request waits: to functions, directories, models.
//!
//! A call runs on the core of its request and never blocks it. Connections are kept per core.
//! Nothing here retries what may have had an effect: a call is repeated only when a kept connection
//! turned out to be dead before anything was answered.

mod dial;
mod http;
mod reply;
#[cfg(test)]
mod tests;
mod trust;
mod url;

pub(crate) use dial::{Dial, Duplex, dial};
pub(crate) use http::{Answer, Call, CallError, call};
pub(crate) use reply::{is_passed_on, reply};
pub use trust::Trust;
pub(crate) use trust::{Verify, raise};
pub(crate) use url::{Url, escape};
