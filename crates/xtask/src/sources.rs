//! Rules about source files.

use std::path::{Path, PathBuf};

use crate::{files, read, root};

/// Lines of code at which a file must be split; the house's limit.
const LINES_MAX: usize = 600;

/// Lines at which a file of tests must be split by behaviour.
const TEST_LINES_MAX: usize = 800;

/// Files that may be longer, each with its reason. They may only shrink.
const LISTED: &[(&str, &str)] = &[];

/// Names each Rust file over the house's limits: code without its trailing `mod tests`, and
/// files of tests.
#[must_use]
pub fn oversized_files() -> Vec<String> {
    let mut violations = Vec::new();
    for path in rust_files() {
        if LISTED.iter().any(|(listed, _)| Path::new(listed) == path) {
            continue;
        }
        let text = read(&path);
        let is_tests = path.components().any(|part| part.as_os_str() == "tests")
            || path
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        let (lines, limit) = if is_tests {
            (text.lines().count(), TEST_LINES_MAX)
        } else {
            (lines_of_code(&text), LINES_MAX)
        };
        if lines > limit {
            violations.push(format!(
                "`{}` has {lines} lines, over {limit}",
                path.display()
            ));
        }
    }
    violations
}

/// Names each crate whose root file does not begin with its purpose.
#[must_use]
pub fn undocumented_crates() -> Vec<String> {
    let roots = rust_files().into_iter().filter(|path| {
        path.ends_with("src/lib.rs") || path.ends_with("crates/gatehouse/src/main.rs")
    });
    roots
        .filter(|path| {
            let text = read(path);
            !text.starts_with("//!") || text.contains("to be filled")
        })
        .map(|path| path.display().to_string())
        .collect()
}

/// Names each reminder to finish something later that carries no issue number.
#[must_use]
pub fn bare_todos() -> Vec<String> {
    let marker = concat!("TO", "DO");
    let mut violations = Vec::new();
    for path in rust_files() {
        for (number, line) in read(&path).lines().enumerate() {
            let numbered = format!("{marker}(#");
            if line.contains(marker) && !line.contains(&numbered) {
                violations.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    violations
}

/// Names each file that a plugin's folder lacks. A plugin that is only described so far needs no
/// handler, and neither its tests nor its page; a folder that defines no plugin is a helper.
#[must_use]
pub fn unfinished_plugins() -> Vec<String> {
    const DESCRIBED: [&str; 2] = ["mod.rs", "schema.rs"];
    const RUNNING: [&str; 5] = ["mod.rs", "schema.rs", "handler.rs", "tests.rs", "README.md"];
    let mut violations = Vec::new();
    let folder = root().join("crates/plugins/src");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let module = std::fs::read_to_string(path.join("mod.rs")).unwrap_or_default();
        if !path.is_dir() || !module.contains("pub const DEFINITION") {
            continue;
        }
        let parts: &[&str] = if module.contains("Definition::described(") {
            &DESCRIBED
        } else {
            &RUNNING
        };
        // Tests that are many may be a folder.
        let is_there = |part: &str| {
            path.join(part).is_file() || part == "tests.rs" && path.join("tests/mod.rs").is_file()
        };
        for part in parts.iter().filter(|part| !is_there(part)) {
            violations.push(format!("`{}` has no {part}", path.display()));
        }
    }
    violations
}

fn rust_files() -> Vec<PathBuf> {
    let mut all = files("crates", &[".rs"]);
    all.extend(files("tests", &[".rs"]));
    all.extend(files("benches", &[".rs"]));
    all
}

fn lines_of_code(text: &str) -> usize {
    text.lines()
        .take_while(|line| *line != "mod tests {")
        .count()
}
