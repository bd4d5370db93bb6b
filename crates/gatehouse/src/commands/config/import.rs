//! `gatehouse config db_import`: a declarative file becomes the configuration of a control plane.

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::cli::Import;
use crate::client::{self, Answer, Client, Content};
use crate::failure::Failure;
use crate::{files, output};

/// Control planes asked for at once.
const PAGE: u32 = 100;

pub(super) fn run(arguments: &Import) -> Result<(), Failure> {
    let text = files::read_bytes(&arguments.file)?;
    let api = client::api(&arguments.access)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(import(arguments, &api, text))
}

async fn import(arguments: &Import, api: &Client, text: Vec<u8>) -> Result<(), Failure> {
    let plane = find(api, &arguments.control_plane).await?;
    let is_json = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let kind = if is_json {
        "application/json"
    } else {
        "application/yaml"
    };
    let content = Content {
        kind,
        bytes: Bytes::from(text),
    };
    let path = format!("/v2/control-planes/{plane}/declarative");
    let answer = api.call(Method::POST, &path, Some(content)).await?;
    let name = arguments.file.display();
    if !answer.is_success() {
        let messages = violations(&answer);
        let title = match messages.len() {
            1 => format!("`{name}` is refused, nothing was changed:"),
            count => format!("`{name}` is refused for {count} reasons, nothing was changed:"),
        };
        return Err(Failure::all(&messages).under(&title));
    }
    let plane = &arguments.control_plane;
    let counts = counts(&answer);
    output::print(&format!(
        "`{name}` is the configuration of `{plane}` now{counts}"
    ));
    Ok(())
}

/// Empty, or how many entities of which kind there are.
fn counts(answer: &Answer) -> String {
    let body = answer.json();
    let kinds = body["entities"].as_object().into_iter().flatten();
    let counts: Vec<String> = kinds
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if counts.is_empty() {
        String::new()
    } else {
        format!(": {}", counts.join(", "))
    }
}

/// The id of a control plane by its name or id.
async fn find(api: &Client, wanted: &str) -> Result<String, Failure> {
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

fn refused(answer: &Answer) -> Failure {
    let advice = match answer.status {
        401 => "; the token is unknown or has ended: give another with GATEHOUSE_TOKEN or --token",
        403 => "; the token does not permit this",
        _ => "",
    };
    let messages = violations(answer);
    Failure::all(&messages).under(&format!("the platform answered {}{advice}", answer.status))
}

/// Everything that an answer says is wrong, with path and line where they are known.
fn violations(answer: &Answer) -> Vec<String> {
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
