//! Rules of the repository, checked as a test, and the generation of files that must be in step.
//!
//! Nothing here is part of the product.

mod documents;
mod graph;
mod sources;

pub use documents::{broken_links, missing_paths};
pub use graph::{layer_violations, rooms_without_lints};
pub use sources::{bare_todos, oversized_files, undocumented_crates, unfinished_plugins};

use std::path::{Path, PathBuf};

/// The root of the repository that cargo runs this in: a target folder that several checkouts
/// share may hold this compiled for another one.
#[must_use]
pub fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    own.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned())
        .join("../..")
        .components()
        .collect()
}

/// Every file below `folder` whose name ends in one of `endings`, without build output and
/// installed packages; paths are relative to the root.
#[must_use]
pub fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(path) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&path) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                let is_foreign = matches!(name.as_str(), "target" | "node_modules" | ".git");
                if !is_foreign {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path.strip_prefix(&root).unwrap_or(&path).to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// Reads a file of the repository; an unreadable one counts as empty.
#[must_use]
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}
