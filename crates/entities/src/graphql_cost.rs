//! What parts of GraphQL queries cost when they are limited.
//!
//! Kept and given back for tools that manage them; no plugin of this program reads them.

use schema::{Field, Schema};
use serde_json::json;

use crate::kind::EntityKind;

/// What a cost is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "graphql_ratelimiting_cost_decorations",
        "graphql_ratelimiting_cost_decoration",
        "graphql-rate-limiting-advanced/costs",
        describe(),
    );
    kind.nested = Some(("services", "graphql-rate-limiting-advanced/costs"));
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    let arguments = |name| Field::set(name, Field::string("")).default(json!([]));
    let constant = |name| Field::number(name).default(1);
    Schema::new("graphql_ratelimiting_cost_decorations")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::foreign("service", "services")
                .on_delete("cascade")
                .describe("The service whose queries are priced; none prices all."),
        )
        .field(
            Field::string("type_path")
                .required()
                .describe("The part of the query."),
        )
        .field(arguments("add_arguments").describe("Arguments whose values are added."))
        .field(constant("add_constant").describe("What is added."))
        .field(arguments("mul_arguments").describe("Arguments whose values multiply."))
        .field(constant("mul_constant").describe("What multiplies."))
}
