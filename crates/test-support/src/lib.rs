//! Builders and real backends for tests. Nothing here is part of the product.
//!
//! Everything is real: processes of the built binary, sockets, TLS, a Squid from the system's
//! packages. What a test starts ends with it.

#![expect(clippy::panic, reason = "what a test cannot do without ends the test")]

mod backend;
mod certificates;
mod client;
mod name_server;
mod node;
mod pebble;
mod ports;
mod postgres;
mod process;
mod quickstart;
mod slapd;
mod squid;
mod temp;
mod wait;

pub use backend::{Backend, Seen};
pub use certificates::TestAuthority;
pub use client::{Answer, Client, Identity};
pub use name_server::{Manner, NameServer, Rdata};
pub use node::Node;
pub use pebble::Pebble;
pub use ports::free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use process::{Gatehouse, binary, run_to_end};
pub use quickstart::{Quickstart, QuickstartOptions};
pub use slapd::Slapd;
pub use squid::{Squid, SquidOptions};
pub use temp::TempDir;
pub use wait::{eventually, eventually_within};

/// Whether the long forms of tests were asked for (`make suites`).
#[must_use]
pub fn is_long() -> bool {
    is_set("GATEHOUSE_LONG")
}

/// Whether tests that break things shall go on for long (`make soak`).
#[must_use]
pub fn is_soak() -> bool {
    is_set("GATEHOUSE_SOAK")
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}
