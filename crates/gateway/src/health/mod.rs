//! How the targets of upstreams do: their addresses, probes, what requests report, marks.
//!
//! A [`Group`] is an upstream as all cores see it. Its addresses follow the DNS in the background
//! and its targets are probed once per node; cores read the result and never wait for any of it.
//! [`Upstreams`] keeps the groups in use: those that a new configuration does not change go on as
//! they are, and addresses that stay keep their health.
//!
//! Picking is the room `balancer`; what the Admin API shows is [`GroupView`].

mod group;
pub(crate) mod probe;
mod resolve;
mod rules;
#[cfg(test)]
mod tests;
mod upstreams;
mod view;
mod watch;

pub use balancer::Weights;
pub use group::Group;
pub use upstreams::Upstreams;
pub use view::{AddressView, GroupView, TargetView};

pub(crate) use group::GroupParts;
pub(crate) use rules::unknown_settings;
