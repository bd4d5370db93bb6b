//! Sources into one map: override > environment > file > default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{LoadOptions, file, nearest};
use crate::error::{ConfError, Origin};
use crate::notice::Notice;
use crate::properties::{is_dynamic, property};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Variables that begin with `KONG_` but are no properties: read by other tools or by images.
const OTHER_VARIABLES: [&str; 8] = [
    "ADMIN_TOKEN",
    "CUSTOM_DOMAIN",
    "PASSWORD",
    "PROCESS_SECRETS_HTTP",
    "PROCESS_SECRETS_STREAM",
    "TEST",
    "VERSION",
    "LOG_LEVEL_RUST",
];

/// One value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// All sources merged. An unset property is absent.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) values: BTreeMap<String, Value>,
    pub(super) errors: Vec<ConfError>,
    pub(super) notices: Vec<Notice>,
}

impl Merged {
    /// Whether somebody set it, to whatever value.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

pub(super) fn merge(options: &LoadOptions) -> Merged {
    let mut merged = Merged::default();
    if let Some(path) = find_file(options) {
        merge_file(&mut merged, &path, options.is_strict);
    }
    for (name, value) in &options.environment {
        merge_variable(&mut merged, name, value);
    }
    for (name, value) in &options.overrides {
        if property(name).is_none() && !is_dynamic(name) {
            let hint = nearest::hint(name);
            merged.errors.push(ConfError::rule(
                name,
                format!("is not a known property{hint}"),
            ));
            continue;
        }
        set(&mut merged, name, value, Origin::Override);
    }
    merged
}

fn find_file(options: &LoadOptions) -> Option<PathBuf> {
    let named = options.file.clone();
    named.or_else(|| {
        options
            .default_files
            .iter()
            .find(|path| path.is_file())
            .cloned()
    })
}

fn merge_file(merged: &mut Merged, path: &Path, is_strict: bool) {
    let text = match read(path) {
        Ok(text) => text,
        Err(source) => {
            merged.errors.push(ConfError::File {
                path: path.to_owned(),
                source,
            });
            return;
        }
    };
    let (lines, errors) = file::parse(&text, path);
    merged.errors.extend(errors);
    for line in lines {
        if property(&line.key).is_some() || is_dynamic(&line.key) {
            set(
                merged,
                &line.key,
                &line.value,
                Origin::File { line: line.number },
            );
            continue;
        }
        let (path, hint) = (path.to_owned(), nearest::hint(&line.key));
        if is_strict {
            let error = ConfError::UnknownKey {
                path,
                line: line.number,
                key: line.key,
                hint,
            };
            merged.errors.push(error);
        } else {
            let notice = Notice::UnknownKey {
                path,
                line: line.number,
                key: line.key,
                hint,
            };
            merged.notices.push(notice);
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!(
            "it is larger than {FILE_BYTES_MAX} bytes"
        )));
    }
    std::fs::read_to_string(path)
}

/// An unknown variable never stops a start: images and orchestrators set many.
fn merge_variable(merged: &mut Merged, name: &str, value: &str) {
    let Some(upper) = name.strip_prefix("KONG_") else {
        return;
    };
    let lower = upper.to_ascii_lowercase();
    if property(&lower).is_some() || is_dynamic(&lower) {
        set(merged, &lower, value, Origin::Environment);
    } else if !OTHER_VARIABLES.contains(&upper) {
        let hint = nearest::hint(&lower);
        merged.notices.push(Notice::UnknownVariable {
            name: name.to_owned(),
            hint,
        });
    }
}

/// `Compat:` an empty value unsets what a weaker source set.
fn set(merged: &mut Merged, name: &str, value: &str, origin: Origin) {
    let text = value.trim();
    if text.is_empty() {
        merged.values.remove(name);
    } else {
        merged.values.insert(
            name.to_owned(),
            Value {
                text: text.to_owned(),
                origin,
            },
        );
    }
}
