//! What an origin may be.

use schema::compile_error;
use serde_json::Value;

/// `*`, or anything that is a regular expression, which a plain origin is too.
pub(super) fn origin(value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    if text == "*" || compile_error(text).is_none() {
        return Ok(());
    }
    Err(format!("'{text}' is not a valid regex"))
}
