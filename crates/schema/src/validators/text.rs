//! Names of headers, cookies and entities, and tags.

use serde_json::Value;

use super::text_of;

/// The name of a header.
///
/// # Errors
///
/// The reference's text.
pub fn header_name(value: &Value) -> Result<(), String> {
    let name = text_of(value);
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        return Ok(());
    }
    Err(format!(
        "bad header name '{name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
    ))
}

/// The name of a cookie: a token of RFC 2616.
///
/// # Errors
///
/// The reference's text.
pub fn cookie_name(value: &Value) -> Result<(), String> {
    const FORBIDDEN: &[u8] = b"()<>@,;:\\\"/?={}[] \t";
    let bad = |byte: u8| byte.is_ascii_control() || FORBIDDEN.contains(&byte);
    if !text_of(value).bytes().any(bad) {
        return Ok(());
    }
    Err(
        "contains one or more invalid characters. ASCII control characters (0-31;127), space, \
         tab and the characters ()<>@,;:\\\"/?={}[] are not allowed."
            .to_owned(),
    )
}

/// The name of an entity: letters, digits, `.`, `-`, `_`, `~` and anything beyond ASCII.
///
/// # Errors
///
/// The reference's text.
pub fn utf8_name(value: &Value) -> Result<(), String> {
    let name = text_of(value);
    let good =
        |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    if name.bytes().all(good) {
        return Ok(());
    }
    Err(format!(
        "invalid value '{name}': the only accepted ascii characters are alphanumerics or ., -, \
         _, and ~"
    ))
}

/// A tag: printable ASCII but `,` and `/`, and anything beyond ASCII.
///
/// # Errors
///
/// The reference's text.
pub fn tag(value: &Value) -> Result<(), String> {
    let tag = text_of(value);
    let good = |byte: u8| {
        !byte.is_ascii() || ((b' '..=b'~').contains(&byte) && byte != b',' && byte != b'/')
    };
    if tag.bytes().all(good) {
        return Ok(());
    }
    Err(format!(
        "invalid tag '{tag}': expected printable ascii (except `,` and `/`) or valid utf-8 \
         sequences"
    ))
}
