//! The one place that reads the environment.

use std::path::{Path, PathBuf};

/// All variables that are text. The order is the system's.
pub(crate) fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// One variable, when it is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.into_string().ok()?;
    Some(value).filter(|value| !value.is_empty())
}

/// Where data lies: the folder that was named, otherwise one in the user's data folder, or below
/// `/var/lib` for a user without a home.
pub(crate) fn data_dir(named: Option<&Path>) -> PathBuf {
    if let Some(named) = named {
        return named.to_owned();
    }
    let folder = variable("XDG_DATA_HOME").map(PathBuf::from);
    let home = variable("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    folder
        .or(home)
        .unwrap_or_else(|| PathBuf::from("/var/lib"))
        .join("gatehouse")
}
