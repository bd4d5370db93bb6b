//! Configuration of `ai-prompt-template`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-template").fields([
        Field::array("templates", Field::record("", templates()))
            .required()
            .describe("Templates that requests may name."),
        Field::boolean("allow_untemplated_requests")
            .required()
            .default(true)
            .describe("Whether requests without a template pass."),
        Field::boolean("log_original_request")
            .required()
            .default(false)
            .describe("Whether the request as received becomes part of the log record."),
        Field::integer("max_request_body_size")
            .gt(0)
            .default(8192)
            .describe("Most bytes of a request body that are looked at."),
    ])
}

fn templates() -> Schema {
    Schema::record([
        Field::string("name")
            .required()
            .describe("Name of the template; requests write `{template://name}`."),
        Field::string("template")
            .required()
            .describe("Text with `{{placeholders}}`."),
    ])
}
