//! What the dialect of the gateway says about the process, over real sockets, against a process
//! that is made up.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests end the test, as tests do"
)]

mod configuration;
mod fixture;
mod information;
