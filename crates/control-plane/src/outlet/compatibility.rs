//! What stands between a node and its configuration, in the form the API shows.

use serde_json::{Value, json};
use wire::Version;
use wire::downgrade::Change;
use wire::v1::{ErrorReport, PluginVersion};

use super::build::Build;

/// Most entities named in one issue.
const MAX_RESOURCES: usize = 50;
/// Most characters of a node's own words that are kept.
const MAX_TEXT: usize = 2000;

/// One issue, as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Issue {
    code: &'static str,
    is_error: bool,
    description: String,
    resolution: String,
    resources: Vec<Value>,
}

impl Issue {
    fn new(
        code: &'static str,
        is_error: bool,
        description: String,
        resolution: impl Into<String>,
    ) -> Self {
        Self {
            code,
            is_error,
            description,
            resolution: resolution.into(),
            resources: Vec::new(),
        }
    }

    /// Whether it keeps the configuration from being sent.
    pub(super) fn blocks(&self) -> bool {
        self.is_error
    }

    fn render(&self) -> Value {
        json!({
            "code": self.code,
            "severity": if self.is_error { "error" } else { "warning" },
            "description": self.description,
            "resolution": self.resolution,
            "affected_resources": self.resources,
        })
    }
}

/// Renders the status of a node with these issues.
pub(super) fn render<'a>(issues: impl Iterator<Item = &'a Issue>) -> Value {
    let issues: Vec<Value> = issues.map(Issue::render).collect();
    let state = if issues.is_empty() {
        "COMPATIBILITY_STATE_FULLY_COMPATIBLE"
    } else {
        "COMPATIBILITY_STATE_INCOMPATIBLE"
    };
    json!({"state": state, "issues": issues})
}

/// A version that cannot be served at all (`kong_version_incompatible`).
///
/// Compat: the reference also refuses newer minor versions; here they are served.
pub(super) fn version(text: &str) -> Result<Version, Box<Issue>> {
    match Version::parse(text) {
        Some(version) if version.major == 3 => Ok(version),
        _ => Err(Box::new(Issue::new(
            "V100",
            true,
            format!("the node's version `{text}` is not supported (kong_version_incompatible)"),
            "run a node of a version 3.x",
        ))),
    }
}

/// Plugins in use that the node lacks or has in another version.
///
/// Compat: the reference keeps the configuration back for a newer minor version too.
pub(super) fn plugins(
    build: &Build,
    node: &[PluginVersion],
    ours: impl Fn(&str) -> Option<String>,
) -> Vec<Issue> {
    let mut issues = Vec::new();
    for name in &build.plugins {
        let Some(theirs) = node.iter().find(|plugin| plugin.name == *name) else {
            let text = format!("plugin `{name}` is in use but not loaded by the node");
            issues.push(Issue::new(
                "P100",
                true,
                format!("{text} (plugin_set_incompatible)"),
                format!("load the plugin on the node or remove `{name}` from the configuration"),
            ));
            continue;
        };
        let version = |text: Option<&str>| text.and_then(major_minor);
        let (Some(ours), Some(theirs)) = (
            version(ours(name).as_deref()),
            version(theirs.version.as_deref()),
        ) else {
            continue;
        };
        if ours.0 != theirs.0 {
            issues.push(Issue::new(
                "P101",
                true,
                format!(
                    "plugin `{name}` has major version {} on the node and {} here \
                     (plugin_version_incompatible)",
                    theirs.0, ours.0
                ),
                "run a node whose plugin has the same major version",
            ));
        } else if ours.1 < theirs.1 {
            issues.push(Issue::new(
                "P102",
                false,
                format!("plugin `{name}` is newer on the node than here"),
                "settings that came with the newer version cannot be made here",
            ));
        }
    }
    issues
}

fn major_minor(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

/// The packed configuration is larger than the node takes.
pub(super) fn too_large(size: usize, limit: usize) -> Issue {
    Issue::new(
        "S100",
        true,
        format!("the packed configuration has {size} bytes; nodes take at most {limit}"),
        "split the control plane, or remove what is not used",
    )
}

/// What was left out for an older node.
pub(super) fn losses(node: Version, changes: &[Change]) -> Option<Issue> {
    let lost: Vec<&Change> = changes.iter().filter(|change| change.is_loss()).collect();
    let newest = lost.iter().map(|change| change.since).max()?;
    let mut issue = Issue::new(
        "D100",
        false,
        format!(
            "{} settings are not known to version {node} of the node",
            lost.len()
        ),
        format!("run a node of version {newest} or later"),
    );
    issue.resources = lost
        .iter()
        .take(MAX_RESOURCES)
        .map(|change| {
            json!({
                "id": change.id,
                "type": change.plugin.as_ref().map_or(change.table.as_str(), |_| "plugins"),
                "parent_code": "D100",
                "details": [format!("`{}` came with {}", change.field, change.since)],
            })
        })
        .collect();
    Some(issue)
}

/// The node reported that it could not apply a configuration.
pub(super) fn refused(report: &ErrorReport) -> Issue {
    let mut issue = Issue::new(
        "E100",
        true,
        clip(&format!("{}: {}", report.name, report.message)),
        format!(
            "repair the configuration with hash `{}`",
            clip(&report.config_hash)
        ),
    );
    issue.resources = report
        .flattened_errors
        .iter()
        .take(MAX_RESOURCES)
        .map(|error| {
            let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
            let errors = error.get("errors").and_then(Value::as_array);
            let details: Vec<String> = errors
                .into_iter()
                .flatten()
                .map(|error| {
                    let text = |key: &str| error.get(key).and_then(Value::as_str);
                    let message = text("message").unwrap_or_default();
                    let field = text("field").map(|field| format!("{field}: "));
                    clip(&format!("{}{message}", field.unwrap_or_default()))
                })
                .collect();
            json!({
                "id": clip(text("entity_id")),
                "type": clip(text("entity_type")),
                "parent_code": "E100",
                "details": details,
            })
        })
        .collect();
    issue
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
