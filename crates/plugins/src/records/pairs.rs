//! Texts like `name:value` that say what is done to headers, queries and bodies.

use serde_json::Value;

/// The name before the colon and what follows; more colons right after the first belong to none.
///
/// Compat: a text without a colon is a name with an empty value.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let Some((name, rest)) = text.split_once(':') else {
        return (text, "");
    };
    (name, rest.trim_start_matches(':'))
}

/// Whether the text can be the name of a header.
pub(crate) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Refuses a text that is no header name.
fn header_name(name: &str) -> Result<(), String> {
    if is_header_name(name) {
        return Ok(());
    }
    Err(format!("'{name}' is not a valid header"))
}

/// A name that must be a header's, and a value of any form.
pub(crate) fn header_pair(value: &Value) -> Result<(), String> {
    header_name(split(value.as_str().unwrap_or_default()).0)
}

/// Two names that must both be headers'.
pub(crate) fn header_names(value: &Value) -> Result<(), String> {
    let (old, new) = split(value.as_str().unwrap_or_default());
    header_name(old)?;
    header_name(new)
}
