//! Configuration of `request-transformer`.

use schema::{Field, Pattern, Schema};
use serde_json::json;

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("request-transformer").fields([
        Field::string("http_method")
            .matches(Pattern::new("^%u+$", "^[A-Z]+$"))
            .describe("Method the service sees."),
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
        Field::array("body", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the body."),
        Field::array(
            "headers",
            Field::string("").custom("header_name_when_static", rules::header),
        )
        .required()
        .default(json!([]))
        .describe("Taken out: names among the headers."),
        Field::array("querystring", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the query."),
    ])
}

fn rename() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_new_name", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_header_name", rules::header_names),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_new_name", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the query."),
    ])
}

fn replace() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the query."),
        Field::string("uri").describe("Path the service sees."),
    ])
}

fn add() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the query."),
    ])
}

fn append() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the query."),
    ])
}
