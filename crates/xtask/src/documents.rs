//! Rules about documents: every path that they name exists.

use std::path::Path;

use crate::{files, read, root};

/// Names each relative link of a Markdown document that leads nowhere.
#[must_use]
pub fn broken_links() -> Vec<String> {
    let mut violations = Vec::new();
    for path in files("", &[".md"]) {
        let text = read(&path);
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
        for target in link_targets(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !root().join(&folder).join(file).exists() {
                violations.push(format!("`{}` links to `{target}`", path.display()));
            }
        }
    }
    violations
}

/// Names each path in back-quotes (`crates/…`, `docs/…`, `scripts/…`) of the map and the guides
/// that does not exist.
#[must_use]
pub fn missing_paths() -> Vec<String> {
    let mut documents = files("docs/guides", &[".md"]);
    documents.push("ARCHITECTURE.md".into());
    documents.push("CONTRIBUTING.md".into());
    let mut violations = Vec::new();
    for path in documents {
        for name in read(&path).split('`').skip(1).step_by(2) {
            let is_path = [
                "crates/",
                "docs/",
                "scripts/",
                "tests/",
                "benches/",
                "examples/",
            ]
            .iter()
            .any(|folder| name.starts_with(folder));
            let is_pattern = name.contains(['<', '*', ' ', '…', '{', 'X']) || name.contains("NAME");
            if is_path && !is_pattern && !root().join(name).exists() {
                violations.push(format!("`{}` names `{name}`", path.display()));
            }
        }
    }
    violations
}

fn link_targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some(end) = part.find(')') {
                targets.push(part[..end].to_owned());
            }
        }
    }
    targets
}
