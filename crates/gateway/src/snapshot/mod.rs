//! The compiled, immutable configuration that requests run under.
//!
//! A snapshot is built off the data path ([`Snapshot::compile`]), swapped in as a whole and shared
//! by all cores. A request takes it at its start and keeps it. Everything that would be looked
//! up by name while a request runs is resolved here: destinations, plugin chains, credentials,
//! certificates.
//!
//! A configuration that differs from the running one in a few routes is made from that at the cost
//! of these ([`Snapshot::changed`]); the rest is shared.
//!
//! Validation happened before; what is refused here is what only this node cannot run.

mod certificates;
mod chains;
mod compile;
mod fails_closed;
mod groups;
mod lookups;
mod routes;
mod service_tls;
mod services;
mod setup;
#[cfg(test)]
mod tests;
mod types;
mod update;
mod vaults;

pub use certificates::Certificates;
pub use routes::Routes;
pub use setup::{Compile, SetupError};
pub use types::{Destination, RouteEntry, ServiceEntry, ServiceTls, SharedSnapshot, Snapshot};
pub use update::RowChange;
