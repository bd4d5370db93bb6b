//! Configuration of `response-transformer`.

use schema::{Field, Pattern, Schema};
use serde_json::json;

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("response-transformer").fields([
        Field::record("remove", remove())
            .required()
            .describe("What is taken out."),
        Field::record("rename", rename())
            .required()
            .describe("What gets another name."),
        Field::record("replace", replace())
            .required()
            .describe("What gets another value if it is there."),
        Field::record("add", add())
            .required()
            .describe("What is added if it is not there."),
        Field::record("append", append())
            .required()
            .describe("What is added in any case."),
    ])
}

fn remove() -> Schema {
    Schema::record([
        Field::array("json", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the JSON body."),
        Field::array("headers", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names among the headers."),
    ])
}

fn rename() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the JSON body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_header_name", rules::header_names),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` among the headers."),
    ])
}

fn replace() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` among the headers."),
    ])
}

fn add() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` among the headers."),
    ])
}

fn append() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` among the headers."),
    ])
}
