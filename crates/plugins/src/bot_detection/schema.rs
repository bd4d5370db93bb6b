//! Configuration of `bot-detection`.

use schema::{Field, Schema};
use serde_json::json;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("bot-detection").fields([
        Field::array("allow", Field::string("").is_regex())
            .default(json!([]))
            .describe("Regular expressions of agents that always pass."),
        Field::array("deny", Field::string("").is_regex())
            .default(json!([]))
            .describe(
                "Regular expressions of agents that are refused, beside those known as robots.",
            ),
    ])
}
