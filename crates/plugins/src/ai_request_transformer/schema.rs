//! Configuration of `ai-request-transformer`.

use schema::{Field, Schema};

use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    llm::transformer(
        Schema::new("ai-request-transformer"),
        vec![
            Field::string("prompt")
                .required()
                .describe("What the model is told to do with the body."),
            Field::string("transformation_extract_pattern")
                .optional()
                .describe("Regular expression whose first match in the answer becomes the body."),
        ],
    )
}
