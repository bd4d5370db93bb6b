//! Configuration of `ai-request-transformer`.

use schema::Schema;

use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    llm::transformer(Schema::new("ai-request-transformer"), None)
}
