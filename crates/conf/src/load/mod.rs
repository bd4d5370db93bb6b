//! From text to [`Settings`]: sources, precedence, references, types, and rules across
//! properties. Mistakes of all steps are collected before anything is refused.

mod build;
mod check;
mod file;
mod material;
mod merge;
mod nearest;
mod reader;
pub(crate) mod vault;

use std::path::PathBuf;

pub(crate) use check::check_runnable;

use crate::{ConfError, Notice, Secret, Settings};

/// Where settings come from. Everything is empty by default, which gives the built-in defaults.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The file of `-c`; it must exist.
    pub file: Option<PathBuf>,
    /// Files that are tried in order when `file` is absent; the first that exists is read.
    pub default_files: Vec<PathBuf>,
    /// All variables of the environment; those named `KONG_…` count, and those that
    /// `{vault://env/…}` references name.
    pub environment: Vec<(String, String)>,
    /// Properties that win over everything, as arguments of a command.
    pub overrides: Vec<(String, String)>,
    /// Whether an unknown key in the file is a mistake instead of a notice.
    pub is_strict: bool,
}

pub(crate) fn load(options: &LoadOptions) -> Result<(Settings, Vec<Notice>), Vec<ConfError>> {
    let mut merged = merge::merge(options);
    vault::resolve(&mut merged, &options.environment);
    let (mut settings, mut merged) = build::build(merged);
    let environment = options.environment.iter().cloned();
    settings.environment = environment
        .map(|(name, text)| (name, Secret::new(text)))
        .collect();
    merged.errors.extend(check::check(&settings, &merged));
    merged.errors.extend(material::check(&settings));
    if merged.errors.is_empty() {
        Ok((settings, merged.notices))
    } else {
        Err(merged.errors)
    }
}
