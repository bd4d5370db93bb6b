//! The conditions of a route, compiled, each with the test of one request.
//!
//! Does not order routes and keeps no index; `order` and `index` do.

mod address;
mod header;
mod host;
mod method;
mod sni;

pub(crate) use address::AddressRule;
pub(crate) use header::{HeaderRule, HeaderTest, with_lower_case};
pub(crate) use host::{HostKind, HostRule, suffix_minimum};
pub(crate) use method::{MethodNames, MethodSet};
pub(crate) use sni::SniRule;
