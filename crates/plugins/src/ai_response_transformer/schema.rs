//! Configuration of `ai-response-transformer`.

use schema::{Field, Schema};

use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    llm::transformer(
        Schema::new("ai-response-transformer"),
        Some(
            Field::boolean("parse_llm_response_json_instructions")
                .required()
                .default(false)
                .describe("Whether the model answers in JSON that names status, headers and body."),
        ),
    )
}
