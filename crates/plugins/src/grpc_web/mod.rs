//! `grpc-web`: lets gRPC-Web clients call gRPC services.

mod body;
mod handler;
mod kind;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Needs, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("grpc-web", 3, schema::schema, handler::build)
    .protocols(ALL_PROTOCOLS)
    .phases(
        Phases::ACCESS
            .and(Phases::HEADER_FILTER)
            .and(Phases::BODY_FILTER),
    )
    .needs(Needs::REQUEST_BODY);
