//! `prometheus`: shows metrics of the traffic for Prometheus to collect.

mod exposition;
mod figures;
mod handler;
mod histogram;
mod registry;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

pub use exposition::{CONTENT_TYPE, exposition, shows_targets};
pub use figures::{ControlPlane, Figures, TargetHealth, TargetState};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("prometheus", 13, schema::schema, handler::build)
        .phases(Phases::LOG)
        .protocols(ALL_PROTOCOLS);
