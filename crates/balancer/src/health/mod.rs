//! How an address does: counters of results and whether it is out, in one atomic word.
//!
//! Whoever saw a result reports it, probes and requests alike; nobody waits for anybody. The rules that say how
//! many results of a kind change the state are the caller's ([`Check`]); what a status means is in them too.
//!
//! No clock and no probing here.

mod cause;
mod check;
mod word;

pub use cause::{Cause, Source};
pub use check::{Check, Outcome, StatusSet};
pub use word::{Change, Health};
