//! `grpc-gateway`: translates REST calls to gRPC with the HTTP annotations of a .proto file.

mod bindings;
mod handler;
mod schema;
mod template;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Needs, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("grpc-gateway", 998, schema::schema, handler::build)
        .protocols(ALL_PROTOCOLS)
        .phases(
            Phases::ACCESS
                .and(Phases::HEADER_FILTER)
                .and(Phases::BODY_FILTER),
        )
        .needs(Needs::REQUEST_BODY);
