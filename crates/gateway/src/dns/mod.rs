//! Names to addresses, for the whole node: one cache behind all cores, one question per name at a time.
//!
//! Answers live as long as their records say, serve on for a while when nobody can renew them, and failures are
//! remembered briefly; the settings are `dns_*` and `resolver_*` of `kong.conf`. Messages are written and read by
//! `hickory`; what is asked in which order, and what an answer means, is decided here.
//!
//! Nothing here runs on the data path: cores keep answers of their own and ask when those have ended.

mod answer;
pub(crate) mod ask;
mod cache;
mod hosts;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Answer, DnsError, Found};
pub use service::Dns;
