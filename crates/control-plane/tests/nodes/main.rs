//! Hand-made nodes against the outlet of a control plane, over real TLS.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do without ends the test"
)]

mod configurations;
mod links;
mod support;
mod telemetry;
