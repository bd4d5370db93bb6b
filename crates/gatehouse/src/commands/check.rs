//! `gatehouse check`: the settings of a node, without starting it.

use std::path::PathBuf;

use conf::{LoadOptions, Notice, Settings};

use crate::cli::Check;
use crate::commands::config;
use crate::failure::Failure;
use crate::{environment, output};

/// Where settings lie when no file is named. `Compat:` the reference's places.
const DEFAULT_FILES: [&str; 2] = ["/etc/kong/kong.conf", "/etc/kong.conf"];

pub(super) fn run(arguments: &Check) -> Result<(), Failure> {
    let (settings, notices) = load(arguments.conf.clone(), arguments.strict)?;
    for notice in &notices {
        output::tell(&format!("warning: {notice}"));
    }
    settings
        .check_runnable()
        .map_err(|errors| refused(&errors))?;
    if let Some(file) = &settings.declarative_config {
        config::check(file)?;
    }
    output::print("the settings are valid");
    Ok(())
}

/// Loads the settings of a node from file and environment.
pub(super) fn load(
    file: Option<PathBuf>,
    is_strict: bool,
) -> Result<(Settings, Vec<Notice>), Failure> {
    let options = LoadOptions {
        file,
        default_files: DEFAULT_FILES.map(PathBuf::from).to_vec(),
        environment: environment::variables(),
        overrides: Vec::new(),
        is_strict,
    };
    Settings::load(&options).map_err(|errors| refused(&errors))
}

pub(super) fn refused(errors: &[conf::ConfError]) -> Failure {
    let title = match errors.len() {
        1 => "the settings have a mistake:".to_owned(),
        count => format!("the settings have {count} mistakes:"),
    };
    Failure::all(errors).under(&title)
}
