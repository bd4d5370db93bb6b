//! Both dialects over real sockets, on the same store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests end the test, as tests do"
)]

mod away;
mod bad_input;
mod bodies;
mod declarative;
mod described;
mod errors;
mod fixture;
mod kinds;
mod lists;
mod members;
mod nested;
mod pages;
mod partials;
mod raw_bodies;
mod refusals;
mod rows;
mod table;
mod transport;
