//! What the commands that work on a control plane share.

use serde_json::Value;

use crate::client::{Answer, Client};
use crate::failure::Failure;

/// Control planes asked for at once.
const PAGE: u32 = 100;

/// The id of a control plane by its name or id.
pub(super) async fn find(api: &Client, wanted: &str) -> Result<String, Failure> {
    let mut names = Vec::new();
    for page in 1.. {
        let path = format!("/v2/control-planes?page%5Bsize%5D={PAGE}&page%5Bnumber%5D={page}");
        let answer = api.get(&path).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let body = answer.json();
        let planes = body["data"].as_array().cloned().unwrap_or_default();
        for plane in &planes {
            let (id, name) = (plane["id"].as_str(), plane["name"].as_str());
            if id == Some(wanted) || name == Some(wanted) {
                return Ok(id.unwrap_or_default().to_owned());
            }
            names.extend(name.map(|name| format!("`{name}`")));
        }
        if planes.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Err(Failure::new(format!(
        "there is no control plane `{wanted}`; there are {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    )))
}

/// What an answer that is no success means.
pub(super) fn refused(answer: &Answer) -> Failure {
    let advice = match answer.status {
        401 => "; the token is unknown or has ended: give another with GATEHOUSE_TOKEN or --token",
        403 => "; the token does not permit this",
        _ => "",
    };
    let messages = violations(answer);
    Failure::all(&messages).under(&format!("the platform answered {}{advice}", answer.status))
}

/// Everything that an answer says is wrong, with path and line where they are known.
pub(super) fn violations(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let mut messages = Vec::new();
    for list in [
        "violations",
        "problems",
        "errors",
        "details",
        "invalid_parameters",
    ] {
        for violation in body[list].as_array().into_iter().flatten() {
            messages.push(violation_text(violation));
        }
    }
    if messages.is_empty() {
        let sentence = ["message", "detail", "title"]
            .iter()
            .find_map(|name| body[*name].as_str());
        messages.push(sentence.map_or_else(|| answer.text(), str::to_owned));
    }
    messages
}

fn violation_text(violation: &Value) -> String {
    if let Some(text) = violation.as_str() {
        return text.to_owned();
    }
    let text = |names: &[&str]| names.iter().find_map(|name| violation[*name].as_str());
    let mut parts = Vec::new();
    if let Some(line) = violation["line"].as_u64() {
        parts.push(format!("line {line}"));
    }
    if let Some(path) = text(&["path", "field"]).filter(|path| !path.is_empty()) {
        parts.push(path.to_owned());
    }
    let message = text(&["message", "reason", "detail"]);
    parts.push(message.map_or_else(|| violation.to_string(), str::to_owned));
    parts.join(": ")
}

/// Warnings of an answer or of a check, one a line.
pub(super) fn warnings(list: &Value) -> Vec<String> {
    let told = list.as_array().into_iter().flatten().map(|warning| {
        let name = warning["name"].as_str().or_else(|| warning["id"].as_str());
        let field = warning["field"].as_str().map(|field| format!(" {field}"));
        format!(
            "warning: {} `{}`{}: {}",
            if warning["kind"] == "plugins" {
                "plugin"
            } else {
                "route"
            },
            name.unwrap_or_default(),
            field.unwrap_or_default(),
            warning["message"].as_str().unwrap_or_default()
        )
    });
    told.collect()
}
