//! How changes may be written.

use serde_json::Value;

pub(super) use crate::records::pairs::{header_names, header_pair};
use crate::records::pairs::{is_header_name, split};

/// The name of a header, unless it is computed for each request.
pub(super) fn header(value: &Value) -> Result<(), String> {
    let name = value.as_str().unwrap_or_default();
    if name.contains("$(") || is_header_name(name) {
        return Ok(());
    }
    Err(format!("'{name}' is not a valid header"))
}

/// A pair whose value is not empty.
pub(super) fn pair_with_value(value: &Value) -> Result<(), String> {
    match split(value.as_str().unwrap_or_default()) {
        (name, "") => Err(format!("key '{name}' has no value")),
        _ => Ok(()),
    }
}
