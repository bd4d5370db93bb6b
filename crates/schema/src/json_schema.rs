//! The JSON Schema of a description.

use serde_json::{Value, json};

use crate::field::Schema;

impl Schema {
    /// A JSON Schema document (2020-12) of what the API accepts.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        json!({"type": "object"})
    }
}
