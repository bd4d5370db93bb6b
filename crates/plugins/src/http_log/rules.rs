//! Where credentials for the endpoint may stand.

use serde_json::Value;

/// Refuses an `Authorization` header beside user information in the URL.
pub(super) fn one_authorization(config: &Value) -> Result<(), String> {
    let endpoint = config.get("http_endpoint").and_then(Value::as_str);
    let authority = endpoint
        .and_then(|url| url.split_once("://"))
        .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let names_user = authority.is_some_and(|authority| authority.contains('@'));
    let headers = config.get("headers").and_then(Value::as_object);
    let has_header = headers.is_some_and(|headers| {
        headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("authorization"))
    });
    if names_user && has_header {
        return Err(
            "specifying both an 'Authorization' header and user info in 'http_endpoint' is not \
             allowed"
                .to_owned(),
        );
    }
    Ok(())
}
