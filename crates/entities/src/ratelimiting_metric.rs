//! Counters of the rate-limiting plugin when it counts in the database.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a counter is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "ratelimiting_metrics",
        "ratelimiting_metric",
        "ratelimiting_metrics",
        describe(),
    )
    .described_only();
    // Its key is made of five members, which no row here has: nodes count for themselves.
    kind.primary_key = "identifier";
    kind.has_ttl = true;
    kind
}

fn describe() -> Schema {
    Schema::new("ratelimiting_metrics")
        .field(
            Field::string("identifier")
                .required()
                .len_min(0)
                .describe("Who is limited."),
        )
        .field(
            Field::string("period")
                .required()
                .describe("Name of the period: second, minute, hour, day, month, year."),
        )
        .field(
            Field::integer("period_date")
                .timestamp()
                .required()
                .describe("Second since 1970 at which the period begins."),
        )
        .field(
            Field::string("service_id")
                .uuid()
                .required()
                .describe("The service, or zeros."),
        )
        .field(
            Field::string("route_id")
                .uuid()
                .required()
                .describe("The route, or zeros."),
        )
        .field(
            Field::integer("value")
                .required()
                .describe("Requests so far."),
        )
}
