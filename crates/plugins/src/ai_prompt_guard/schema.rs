//! Configuration of `ai-prompt-guard`.

use schema::{Check, Condition, Field, Schema};

use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-guard")
        .fields([
            Field::array("allow_patterns", Field::string("").len_min(1).len_max(500))
                .optional()
                .len_max(10)
                .describe("A prompt must match one of these."),
            Field::array("deny_patterns", Field::string("").len_min(1).len_max(500))
                .optional()
                .len_max(10)
                .describe("A prompt must match none of these."),
            Field::boolean("allow_all_conversation_history")
                .required()
                .default(false)
                .describe("Whether only the last message of the user is looked at."),
            llm::max_request_body_size()
                .describe("Most bytes of a request body that are looked at."),
            Field::boolean("match_all_roles")
                .required()
                .default(false)
                .describe("Whether messages of all roles are looked at, not only the user's."),
            llm::format(),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.allow_patterns",
            "config.deny_patterns",
        ]))
        .outer_check(Check::conditional(
            "config.match_all_roles",
            Condition::eq(true),
            "config.allow_all_conversation_history",
            Condition::eq(false),
        ))
}
