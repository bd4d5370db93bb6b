//! Configuration of `ai-prompt-decorator`.

use schema::{Check, Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-decorator")
        .fields([
            Field::record("prompts", prompts())
                .optional()
                .describe("Messages to add."),
            Field::integer("max_request_body_size")
                .gt(0)
                .default(8192)
                .describe("Most bytes of a request body that are looked at."),
            Field::string("llm_format")
                .optional()
                .one_of(["openai", "bedrock", "gemini"])
                .default("openai")
                .describe("Dialect of the requests: OpenAI's, or a provider's own."),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.prompts.prepend",
            "config.prompts.append",
        ]))
}

fn prompts() -> Schema {
    Schema::record([
        Field::array("prepend", Field::record("", prepend()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put before the chat, in this order."),
        Field::array("append", Field::record("", append()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put after the chat, in this order."),
    ])
}

fn prepend() -> Schema {
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

fn append() -> Schema {
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
