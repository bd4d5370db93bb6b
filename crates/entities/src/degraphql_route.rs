//! Paths that stand for GraphQL queries of a service.
//!
//! Kept and given back for tools that manage them; no plugin of this program reads them.

use schema::{Field, Schema};
use serde_json::json;

use crate::kind::EntityKind;

/// What such a path is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "degraphql_routes",
        "degraphql_route",
        "degraphql_routes",
        describe(),
    );
    kind.nested = Some(("services", "degraphql/routes"));
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("degraphql_routes")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::foreign("service", "services")
                .required()
                .on_delete("cascade")
                .describe("The service that answers the query."),
        )
        .field(
            Field::set("methods", Field::string(""))
                .required()
                .default(json!(["GET"]))
                .describe("Methods of requests."),
        )
        .field(
            Field::string("uri")
                .required()
                .describe("Path of requests; `:name` captures a variable."),
        )
        .field(
            Field::string("query")
                .required()
                .describe("The query that is sent."),
        )
}
