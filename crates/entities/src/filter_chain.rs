//! Chains of WebAssembly filters.
//!
//! Compat: a filter must be installed to be named, and this program installs none, so the
//! description is there and every chain is refused with the reference's words.

use schema::{Check, Field, Rule, Schema};
use serde_json::{Value, json};

use crate::kind::EntityKind;

/// What a chain of filters is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("filter_chains", "filter_chain", "filter-chains", describe());
    kind.endpoint_key = Some("name");
    kind.cache_key = &["route", "service"];
    kind.nulls_collide = true;
    kind
}

fn describe() -> Schema {
    let scope = |name, entity| {
        Field::foreign(name, entity)
            .default(Value::Null)
            .unique()
            .on_delete("cascade")
    };
    Schema::new("filter_chains")
        .field(Field::id())
        .field(
            Field::string("name")
                .utf8_name()
                .unique()
                .describe("Name of the chain, by which paths and files address it."),
        )
        .field(
            Field::boolean("enabled")
                .required()
                .default(true)
                .describe("Whether the chain runs."),
        )
        .field(scope("route", "routes").describe("The route whose requests pass the chain."))
        .field(scope("service", "services").describe("The service whose requests pass the chain."))
        .field(
            Field::array("filters", Field::record("", filter()))
                .required()
                .len_min(1)
                .describe("The filters in order."),
        )
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::tags())
        .check(Check::MutuallyExclusive(vec!["service", "route"]))
        .check(Check::AtLeastOneOf(vec!["service", "route"]))
        // Filters would bring descriptions of their configuration; none is installed.
        .check(Check::Announced {
            fields: vec!["filters"],
            run_with_invalid_fields: true,
        })
}

fn filter() -> Schema {
    let installed = Rule::OneOf(Vec::new());
    Schema::record([
        Field::string("name")
            .required()
            .rule(installed)
            .err("no such filter")
            .describe("An installed filter."),
        Field::boolean("enabled")
            .required()
            .default(true)
            .describe("Whether the filter runs."),
        Field::json("config")
            .optional()
            .json_description(configuration)
            .describe("What the filter is told."),
    ])
}

/// Compat: where the reference finds the description of a filter's configuration, published as it is.
fn configuration() -> Value {
    json!({
        "namespace": "proxy-wasm-filters",
        "parent_subschema_key": "name",
        "optional": true,
        "default": {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": ["string", "null"],
        },
    })
}
