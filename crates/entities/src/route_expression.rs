//! What holds for the expression of a route. `Compat:` the messages are those of the reference.

use expressions::{Expression, Subsystem};
use schema::Map;
use serde_json::Value;

use crate::route_rules::is_set as has_items;

/// The fields that say the same in other words.
const CLASSIC: [&str; 7] = [
    "snis",
    "sources",
    "destinations",
    "methods",
    "hosts",
    "paths",
    "headers",
];
const LISTED: &str =
    "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' simultaneously";

/// Whether the route has an expression.
pub(crate) fn is_set(body: &Map) -> bool {
    body.get("expression").is_some_and(Value::is_string)
}

/// Checks the expression, and what may stand beside it; the message is about the whole route.
pub(crate) fn check(body: &Map) -> Result<(), String> {
    let fault = |message: &str| Err(format!("Router Expression failed validation: {message}"));
    let expression = body.get("expression").and_then(Value::as_str);
    let has_classic = CLASSIC.iter().any(|field| has_items(body.get(*field)));
    let is_number = |field| {
        let number = body.get(field).and_then(Value::as_i64);
        number.is_some_and(|number| number != 0)
    };
    if has_classic && expression.is_some() {
        return fault(&format!("cannot set 'expression' with {LISTED}"));
    }
    if expression.is_some() && is_number("regex_priority") {
        return fault("cannot set 'regex_priority' with 'expression' simultaneously");
    }
    if has_classic && is_number("priority") {
        return fault(&format!("cannot set 'priority' with {LISTED}"));
    }
    let Some(expression) = expression else {
        return Ok(());
    };
    match Expression::parse(expression, subsystem(body)) {
        Ok(_) => Ok(()),
        Err(error) => fault(&error.to_string()),
    }
}

fn subsystem(body: &Map) -> Subsystem {
    let protocols = body.get("protocols").and_then(Value::as_array);
    match protocols.and_then(|list| list.first()?.as_str()) {
        Some("tcp" | "tls" | "udp" | "tls_passthrough") => Subsystem::Stream,
        _ => Subsystem::Http,
    }
}
