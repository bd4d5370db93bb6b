//! What happens to a body before its schema looks at it.
//!
//! Compat: the reference does these in its storage layer, before validation.

use schema::{Map, Mode, Violations, validators};
use serde_json::Value;

use crate::basicauth_credential::{OWNER_NEEDED, owner};
use crate::catalogue::Origin;
use crate::target::DEFAULT_PORT;
use crate::vault;

/// Adapts a body of a kind (plural name).
pub(crate) fn prepare(
    kind: &str,
    body: &mut Map,
    mode: Mode<'_>,
    origin: Origin,
) -> Result<(), Violations> {
    match kind {
        "targets" => target(body, origin),
        "certificates" if origin == Origin::Api => server_names(body),
        "vaults" => vault::check_installed(body, !matches!(mode, Mode::Update { .. })),
        "basicauth_credentials" if matches!(mode, Mode::Update { .. }) => password(body),
        "upstreams" => {
            upstream(body, mode);
            Ok(())
        }
        "routes" => {
            route(body, mode);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Addresses get their normal form. A bad one coming through the API is the only thing said
/// about the body; in documents it is one violation among others.
fn target(body: &mut Map, origin: Origin) -> Result<(), Violations> {
    let Some(Value::String(text)) = body.get_mut("target") else {
        return Ok(());
    };
    match validators::parse_address(text) {
        Ok(parts) => {
            *text = parts.with_port(DEFAULT_PORT);
            Ok(())
        }
        Err(_) if origin == Origin::Api => Err(Violations::of(
            "target",
            "Invalid target; not a valid hostname or ip address",
        )),
        Err(_) => Ok(()),
    }
}

/// Names that a certificate is shown for are entities of their own, which the storage makes; a
/// name that comes twice is the only thing said about the body.
fn server_names(body: &Map) -> Result<(), Violations> {
    let names = body.get("snis").and_then(Value::as_array);
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let twice = |(at, name): &(usize, &&str)| names[..*at].contains(*name);
    match names.iter().enumerate().find(twice) {
        Some((_, name)) => Err(Violations::of("snis", format!("{name} is duplicated"))),
        None => Ok(()),
    }
}

/// A patched password needs its owner, who is part of the hash, and a new owner the password.
fn password(body: &Map) -> Result<(), Violations> {
    let password = body.get("password").is_some_and(Value::is_string);
    if password != owner(body).is_some() {
        return Err(Violations::of_entity(OWNER_NEEDED));
    }
    Ok(())
}

/// What is hashed and how a target is chosen follow from one another.
fn upstream(body: &mut Map, mode: Mode<'_>) {
    let is_given = body.contains_key("algorithm");
    // Compat: a patch cannot clear how a target is chosen; it stays as it is.
    if matches!(mode, Mode::Update { .. }) && body.get("algorithm").is_some_and(Value::is_null) {
        body.shift_remove("algorithm");
    }
    let text = |body: &Map, name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let algorithm = text(body, "algorithm");
    let hash_on = text(body, "hash_on");
    match (algorithm.as_deref(), hash_on.as_deref()) {
        (Some("least-connections" | "latency" | "sticky-sessions"), None) => {
            body.insert("hash_on".to_owned(), Value::from("none"));
        }
        (None, Some("none")) if !is_given => {
            body.insert("algorithm".to_owned(), Value::from("round-robin"));
        }
        (_, Some(input)) if input != "none" => {
            body.insert("algorithm".to_owned(), Value::from("consistent-hashing"));
        }
        _ => {}
    }
}

/// The default of `strip_path` depends on the protocol.
fn route(body: &mut Map, mode: Mode<'_>) {
    if matches!(mode, Mode::Update { .. }) || body.contains_key("strip_path") {
        return;
    }
    let first = body
        .get("protocols")
        .and_then(|list| list.get(0))
        .and_then(Value::as_str);
    if matches!(first, Some("grpc" | "grpcs")) {
        body.insert("strip_path".to_owned(), Value::Bool(false));
    }
}
