//! What a route may and must set, by its first protocol.

use schema::{Check, CustomCheck, Failure, Map};
use serde_json::Value;

use crate::route_expression;

/// The rules of one group of protocols.
struct Group {
    /// Members that must be null.
    forbidden: &'static [&'static str],
    /// How the group is called in messages about those.
    called: &'static str,
    /// One of these must be set.
    needed: &'static [&'static str],
    /// The message when none is.
    message: &'static str,
}

const HTTP: Group = Group {
    forbidden: &["sources", "destinations"],
    called: "'http' or 'https'",
    needed: &["methods", "hosts", "headers", "paths"],
    message: "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
};

const HTTPS: Group = Group {
    needed: &["methods", "hosts", "headers", "paths", "snis"],
    message: "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is \
              'https'",
    ..HTTP
};

const GRPC: Group = Group {
    forbidden: &["methods", "sources", "destinations"],
    called: "'grpc' or 'grpcs'",
    needed: &["hosts", "headers", "paths"],
    message: "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
};

const GRPCS: Group = Group {
    needed: &["hosts", "headers", "paths", "snis"],
    message: "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
    ..GRPC
};

const STREAM: Group = Group {
    forbidden: &["methods", "hosts", "paths", "headers"],
    called: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
    needed: &["sources", "destinations", "snis"],
    message: "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' \
              or 'udp'",
};

const PASSTHROUGH: Group = Group {
    needed: &["snis"],
    message: "must set snis when 'protocols' is 'tls_passthrough'",
    ..STREAM
};

/// What schema documents name for these rules.
const PUBLISHED: [&str; 12] = [
    "id",
    "protocols",
    "snis",
    "sources",
    "destinations",
    "methods",
    "hosts",
    "paths",
    "headers",
    "expression",
    "regex_priority",
    "priority",
];

const BY_PROTOCOL: CustomCheck = CustomCheck {
    name: "fields_by_protocol",
    fields: &["protocols"],
    published: &PUBLISHED,
    run_with_missing_fields: true,
    run_with_invalid_fields: false,
    run: check,
};

/// In the reference, a check that warns in its log by the router flavor and refuses nothing.
pub(crate) fn path_handling() -> Check {
    Check::Announced {
        fields: vec!["path_handling"],
        run_with_invalid_fields: false,
    }
}

/// The check of these rules.
pub(crate) fn by_protocol() -> Check {
    Check::Custom(BY_PROTOCOL)
}

/// The check of these rules and of expressions.
pub(crate) fn by_protocol_or_expression() -> Check {
    Check::Custom(CustomCheck {
        run: check_with_expression,
        ..BY_PROTOCOL
    })
}

fn check(body: &Map) -> Result<(), Failure> {
    check_protocol(body, false)
}

/// In this flavor an expression is enough, and routes of requests may look at both ends.
fn check_with_expression(body: &Map) -> Result<(), Failure> {
    let expressions = route_expression::check(body);
    let outcome = check_protocol(body, true);
    let Err(message) = expressions else {
        return outcome;
    };
    let mut failure = outcome.err().unwrap_or_default();
    failure.entity.push(message);
    Err(failure)
}

fn check_protocol(body: &Map, has_expressions: bool) -> Result<(), Failure> {
    let protocols: Vec<&str> = body
        .get("protocols")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(first) = protocols.first() else {
        return Ok(());
    };
    let group = match *first {
        "http" | "https" if protocols.contains(&"https") => HTTPS,
        "http" => HTTP,
        "grpc" | "grpcs" if protocols.contains(&"grpcs") => GRPCS,
        "grpc" => GRPC,
        "tls_passthrough" => PASSTHROUGH,
        _ => STREAM,
    };
    let mut failure = Failure::default();
    let called = group.called;
    for field in group.forbidden {
        if has_expressions && matches!(*field, "sources" | "destinations") {
            continue;
        }
        if body.get(*field).is_some_and(|value| !value.is_null()) {
            let message = format!("cannot set '{field}' when 'protocols' is {called}");
            failure.fields.push(((*field).to_owned(), message));
        }
    }
    if matches!(*first, "grpc" | "grpcs") && body.get("strip_path") == Some(&Value::Bool(true)) {
        let message = format!("cannot set 'strip_path' when 'protocols' is {called}");
        failure.fields.push(("strip_path".to_owned(), message));
    }
    let is_enough = |field: &&str| is_set(body.get(*field));
    let has_expression = has_expressions && route_expression::is_set(body);
    if !has_expression && !group.needed.iter().any(is_enough) {
        failure.entity.push(group.message.to_owned());
    }
    if failure == Failure::default() {
        Ok(())
    } else {
        Err(failure)
    }
}

pub(crate) fn is_set(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Null) | None => false,
        Some(_) => true,
    }
}
