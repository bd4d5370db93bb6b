//! `gatehouse config db_import`: a declarative file becomes the configuration of a control plane.

use bytes::Bytes;
use declarative::{Document, Format, Limits};
use form_urlencoded::Serializer;
use hyper::Method;
use serde_json::Value;

use super::plane::{self, violations};
use super::target::Target;
use crate::cli::Import;
use crate::client::{Answer, Content};
use crate::failure::Failure;
use crate::{files, output};

/// The control plane that is meant when nobody names one.
const DEFAULT: &str = "default";

/// The member of decK's files that names the control plane.
const KONNECT: &str = "_konnect";

/// Changes of a plan that are printed.
const MAX_PRINTED: usize = 200;

pub(super) fn run(arguments: &Import) -> Result<(), Failure> {
    let text = files::read_bytes(&arguments.file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(import(arguments, text))
}

async fn import(arguments: &Import, text: Vec<u8>) -> Result<(), Failure> {
    let name = meant(arguments, &text);
    let target = Target::open(&arguments.access, &name).await?;
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
    let mut query = Serializer::new(String::new());
    if arguments.dry_run {
        query.append_pair("dry_run", "true");
    }
    if let Some(plan) = &arguments.plan {
        query.append_pair("plan", plan);
    }
    for tag in &arguments.select_tag {
        query.append_pair("select_tags", tag);
    }
    let rest = format!("/declarative-configuration?{}", query.finish());
    let answer = target.call(Method::POST, &rest, Some(content)).await?;
    let file = arguments.file.display();
    if !answer.is_success() {
        let messages = violations(&answer);
        let title = match messages.len() {
            1 => format!("`{file}` is refused, nothing was changed:"),
            count => format!("`{file}` is refused for {count} reasons, nothing was changed:"),
        };
        return Err(Failure::all(&messages).under(&title));
    }
    let body = answer.json();
    for warning in plane::warnings(&body["warnings"]) {
        output::tell(&warning);
    }
    if arguments.dry_run {
        print_plan(&body);
    } else {
        let told = summary(&answer);
        let whose = match &arguments.access.conf {
            Some(_) => "the node's database".to_owned(),
            None => format!("`{name}`"),
        };
        output::print(&format!(
            "`{file}` is the configuration of {whose} now: {told}"
        ));
    }
    Ok(())
}

/// The control plane: as given, or as decK's file says.
fn meant(arguments: &Import, text: &[u8]) -> String {
    if let Some(name) = &arguments.control_plane {
        return name.clone();
    }
    // Reading all of a large file takes a while, and few files name one.
    let names_one = text
        .windows(KONNECT.len())
        .any(|part| part == KONNECT.as_bytes());
    let document = names_one
        .then(|| Document::parse_values(text, Format::Auto, Limits::default()).ok())
        .flatten();
    let named = document.as_ref().and_then(Document::control_plane_name);
    named.unwrap_or(DEFAULT).to_owned()
}

/// How many entities were made, changed, removed.
fn summary(answer: &Answer) -> String {
    counts(&answer.json()["summary"])
}

fn counts(summary: &Value) -> String {
    let count = |name: &str| summary[name].as_u64().unwrap_or_default();
    format!(
        "{} created, {} updated, {} deleted, {} unchanged",
        count("create"),
        count("update"),
        count("delete"),
        count("unchanged")
    )
}

fn print_plan(body: &Value) {
    let changes = body["changes"].as_array().cloned().unwrap_or_default();
    for change in changes.iter().take(MAX_PRINTED) {
        super::history::print_change(change);
    }
    if changes.len() > MAX_PRINTED {
        output::print(&format!("… and {} more", changes.len() - MAX_PRINTED));
    }
    output::print(&format!("would be: {}", counts(&body["summary"])));
    if let Some(plan) = body["plan"].as_str() {
        output::print(&format!("plan: {plan}"));
    }
}
