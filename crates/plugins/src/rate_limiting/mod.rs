//! `rate-limiting`: lets each caller make only so many requests per second, minute, hour, day,
//! month or year, and tells it how many are left.

pub(crate) mod counters;
mod handler;
mod headers;
pub(crate) mod ledger;
pub(crate) mod period;
pub(crate) mod remote;
#[cfg(test)]
mod remote_tests;
mod schema;
mod shared;
#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod tests;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("rate-limiting", 910, schema::schema, handler::build);
