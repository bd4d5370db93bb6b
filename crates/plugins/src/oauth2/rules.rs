//! Which flows must be offered.

use serde_json::Value;

const FLOWS: [&str; 4] = [
    "enable_authorization_code",
    "enable_implicit_grant",
    "enable_client_credentials",
    "enable_password_grant",
];

/// A server that offers no flow is of no use.
pub(super) fn some_grant(config: &Value) -> Result<(), String> {
    let is_on = |flow: &&str| config.get(flow) == Some(&Value::Bool(true));
    if FLOWS.iter().any(is_on) {
        return Ok(());
    }
    Err(format!(
        "at least one of these fields must be true: {}",
        FLOWS.join(", ")
    ))
}
