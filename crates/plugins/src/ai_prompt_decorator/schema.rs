//! Configuration of `ai-prompt-decorator`.

use schema::{Check, Field, Schema};

use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-decorator")
        .fields([
            Field::record("prompts", prompts())
                .optional()
                .describe("Messages to add."),
            llm::max_request_body_size()
                .describe("Most bytes of a request body that are looked at."),
            llm::format(),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.prompts.prepend",
            "config.prompts.append",
        ]))
}

fn prompts() -> Schema {
    Schema::record([
        Field::array("prepend", Field::record("", message()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put before the chat, in this order."),
        Field::array("append", Field::record("", message()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put after the chat, in this order."),
    ])
}

fn message() -> Schema {
    Schema::record([
        Field::string("role")
            .required()
            .one_of(["system", "assistant", "user"])
            .default("system")
            .describe("Who speaks."),
        Field::string("content")
            .required()
            .len_min(1)
            .len_max(500)
            .describe("What is said."),
    ])
}
