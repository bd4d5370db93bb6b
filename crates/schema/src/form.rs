//! The reference's own schema document (`GET /schemas/…`) of a description.

use serde_json::{Value, json};

use crate::field::Schema;

impl Schema {
    /// The schema document that the Admin API publishes.
    #[must_use]
    pub fn admin_form(&self) -> Value {
        json!({"fields": []})
    }
}
