//! Configuration of `cors`.

use schema::{Field, Schema};
use serde_json::json;

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("cors").fields([
        Field::array(
            "origins",
            Field::string("").custom("cors_origin_star_or_regex", rules::origin),
        )
        .describe(
            "Origins that may read answers: `*`, texts or regular expressions; unset is everybody.",
        ),
        Field::array("headers", Field::string(""))
            .describe("Request headers allowed; unset allows what the preflight asks for."),
        Field::array("exposed_headers", Field::string(""))
            .describe("Headers of answers that scripts may read."),
        Field::array(
            "methods",
            Field::string("").one_of([
                "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT",
            ]),
        )
        .default(json!([
            "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"
        ]))
        .describe("Methods allowed."),
        Field::number("max_age").describe("Seconds a preflight answer may be kept."),
        Field::boolean("credentials")
            .required()
            .default(false)
            .describe("Whether cookies and the like may be sent."),
        Field::boolean("private_network")
            .required()
            .default(false)
            .describe("Whether requests from public to private networks are allowed."),
        Field::boolean("preflight_continue")
            .required()
            .default(false)
            .describe("Whether preflight requests go on to the service."),
    ])
}
