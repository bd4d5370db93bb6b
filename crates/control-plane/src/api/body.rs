//! Reading request bodies of the control-planes API: every fault is named, not only the first.

use std::collections::BTreeMap;

use axum::body::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::problem::Problem;
use crate::error::InvalidParameter;
use crate::model::{AuthType, ClusterType, NewControlPlane, PatchControlPlane, ProxyUrl};
use crate::planes::rules;

type Faults = Vec<InvalidParameter>;

/// The members of a JSON body, or of a form when `takes_forms`.
pub(super) fn object(
    headers: &HeaderMap,
    body: &Bytes,
    takes_forms: bool,
) -> Result<Map<String, Value>, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or("", |value| {
        value
            .to_str()
            .unwrap_or("unreadable")
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    });
    if content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") && takes_forms {
        return Ok(form(body));
    }
    let is_json = content_type.is_empty() || content_type.eq_ignore_ascii_case("application/json");
    if !is_json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be sent as `application/json`",
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "The request body must be an object",
        )),
        Err(error) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("The request body is not valid JSON: {error}"),
        )),
    }
}

/// Compat: older how-tos create control planes with forms; `labels[key]` and `labels.key` both
/// name a label, and the flag comes as text.
fn form(body: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    let mut labels = Map::new();
    for (key, value) in form_urlencoded::parse(body) {
        let label = key
            .strip_prefix("labels[")
            .and_then(|rest| rest.strip_suffix(']'))
            .or_else(|| key.strip_prefix("labels."));
        if let Some(label) = label {
            labels.insert(label.to_owned(), Value::from(value.as_ref()));
            continue;
        }
        let value = match (key.as_ref(), value.as_ref()) {
            ("cloud_gateway", "true") => Value::Bool(true),
            ("cloud_gateway", "false") => Value::Bool(false),
            (_, text) => Value::from(text),
        };
        members.insert(key.into_owned(), value);
    }
    if !labels.is_empty() {
        members.insert("labels".to_owned(), Value::Object(labels));
    }
    members
}

/// What a body to create a control plane says.
pub(super) fn create(members: &Map<String, Value>) -> Result<NewControlPlane, Faults> {
    let known = [
        "name",
        "description",
        "cluster_type",
        "auth_type",
        "cloud_gateway",
        "proxy_urls",
        "labels",
    ];
    let mut found = unknown(members, &known);
    let name = text(members, "name", &mut found);
    if name.is_none() && !members.contains_key("name") {
        found.push(InvalidParameter::body("name", "required", "must be given"));
    }
    let new = NewControlPlane {
        name: name.unwrap_or_default(),
        description: text(members, "description", &mut found).unwrap_or_default(),
        labels: labels(members, &mut found).unwrap_or_default(),
        cluster_type: cluster_type(members, &mut found),
        auth_type: auth_type(members, &mut found).unwrap_or_default(),
        cloud_gateway: flag(members, "cloud_gateway", &mut found),
        proxy_urls: proxy_urls(members, &mut found).unwrap_or_default(),
        is_default: false,
    };
    finish(new, found, rules::of_new)
}

/// What a body to change a control plane says.
pub(super) fn patch(members: &Map<String, Value>) -> Result<PatchControlPlane, Faults> {
    let known = ["name", "description", "auth_type", "proxy_urls", "labels"];
    let mut found = unknown(members, &known);
    let patch = PatchControlPlane {
        name: text(members, "name", &mut found),
        description: text(members, "description", &mut found),
        labels: labels(members, &mut found),
        auth_type: auth_type(members, &mut found),
        proxy_urls: proxy_urls(members, &mut found),
    };
    finish(patch, found, rules::of_patch)
}

/// Adds what the rules say about the members that could be read, so that a body is answered with
/// everything that is wrong with it.
fn finish<T>(read: T, mut found: Faults, rules: fn(&T) -> Faults) -> Result<T, Faults> {
    let named: Vec<_> = found.iter().map(|fault| fault.field.clone()).collect();
    let is_new = |fault: &InvalidParameter| !named.contains(&fault.field);
    found.extend(rules(&read).into_iter().filter(is_new));
    if found.is_empty() {
        Ok(read)
    } else {
        Err(found)
    }
}

/// The ids of a body `{"members": [{"id": …}]}`.
pub(super) fn members(body: &Map<String, Value>) -> Result<Vec<Uuid>, Faults> {
    let mut found = unknown(body, &["members"]);
    let mut ids = Vec::new();
    match body.get("members") {
        None => found.push(InvalidParameter::body(
            "members",
            "required",
            "must be given",
        )),
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                let id = item.get("id").and_then(Value::as_str);
                match id.map(Uuid::try_parse) {
                    Some(Ok(id)) => ids.push(id),
                    Some(Err(_)) => {
                        let field = format!("members.{index}.id");
                        found.push(InvalidParameter::body(field, "is_uuid", "must be a UUID"));
                    }
                    None => {
                        let field = format!("members.{index}.id");
                        found.push(InvalidParameter::body(field, "required", "must be given"));
                    }
                }
            }
        }
        Some(_) => found.push(InvalidParameter::body(
            "members",
            "is_array",
            "must be an array",
        )),
    }
    if found.is_empty() {
        Ok(ids)
    } else {
        Err(found)
    }
}

pub(super) fn unknown(members: &Map<String, Value>, known: &[&str]) -> Faults {
    members
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| InvalidParameter::body(key, "unknown_property", "is not a known property"))
        .collect()
}

fn text(members: &Map<String, Value>, name: &str, found: &mut Faults) -> Option<String> {
    match members.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null if name == "description" => Some(String::new()),
        _ => {
            found.push(InvalidParameter::body(
                name,
                "is_string",
                "must be a string",
            ));
            None
        }
    }
}

fn flag(members: &Map<String, Value>, name: &str, found: &mut Faults) -> bool {
    match members.get(name) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            found.push(InvalidParameter::body(
                name,
                "is_boolean",
                "must be true or false",
            ));
            false
        }
    }
}

fn cluster_type(members: &Map<String, Value>, found: &mut Faults) -> ClusterType {
    let Some(value) = members.get("cluster_type") else {
        return ClusterType::default();
    };
    value
        .as_str()
        .and_then(ClusterType::parse)
        .unwrap_or_else(|| {
            let fault = InvalidParameter::body("cluster_type", "enum", "not a known value");
            found.push(fault.choices(ClusterType::ALL.map(ClusterType::as_str)));
            ClusterType::default()
        })
}

fn auth_type(members: &Map<String, Value>, found: &mut Faults) -> Option<AuthType> {
    let known = members.get("auth_type")?.as_str().and_then(AuthType::parse);
    if known.is_none() {
        let fault = InvalidParameter::body("auth_type", "enum", "not a known value");
        found.push(fault.choices(AuthType::ALL.map(AuthType::as_str)));
    }
    known
}

fn labels(members: &Map<String, Value>, found: &mut Faults) -> Option<BTreeMap<String, String>> {
    let map = match members.get("labels")? {
        Value::Object(map) => map,
        Value::Null => return Some(BTreeMap::new()),
        _ => {
            found.push(InvalidParameter::body(
                "labels",
                "is_object",
                "must be an object",
            ));
            return None;
        }
    };
    let mut labels = BTreeMap::new();
    for (key, value) in map {
        match value {
            Value::String(text) => {
                labels.insert(key.clone(), text.clone());
            }
            _ => {
                let field = format!("labels.{key}");
                found.push(InvalidParameter::body(
                    field,
                    "is_string",
                    "must be a string",
                ));
            }
        }
    }
    Some(labels)
}

fn proxy_urls(members: &Map<String, Value>, found: &mut Faults) -> Option<Vec<ProxyUrl>> {
    let items = match members.get("proxy_urls")? {
        Value::Array(items) => items,
        Value::Null => return Some(Vec::new()),
        _ => {
            found.push(InvalidParameter::body(
                "proxy_urls",
                "is_array",
                "must be an array",
            ));
            return None;
        }
    };
    let mut urls = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match serde_json::from_value::<ProxyUrl>(item.clone()) {
            Ok(url) => urls.push(url),
            Err(error) => {
                let field = format!("proxy_urls.{index}");
                found.push(InvalidParameter::body(field, "invalid", error.to_string()));
            }
        }
    }
    Some(urls)
}
