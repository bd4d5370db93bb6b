//! One file per command.

#[cfg(feature = "platform-side")]
mod admin;
mod check;
mod config;
mod echo;
mod explain;
mod hosts;
mod hybrid;
mod node;
mod open_files;
#[cfg(feature = "platform-side")]
mod platform;
mod vault;
mod version;

#[cfg(feature = "platform-side")]
pub(crate) use admin::{PASSWORD_LENGTH, find_user, new_token};
#[cfg(feature = "platform-side")]
pub(crate) use hosts::write as write_hosts;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// The PostgreSQL server that is named, or that the environment names.
#[cfg(feature = "platform-side")]
fn database_of(url: Option<&str>) -> Result<Option<store::PostgresConfig>, Failure> {
    let url = url
        .map(str::to_owned)
        .or_else(|| crate::environment::variable("GATEHOUSE_DATABASE_URL"));
    let Some(url) = url else { return Ok(None) };
    let mut config = store::PostgresConfig::from_url(&url)?;
    // The name is the beginning of several; that of everybody is none to begin with.
    if config.schema == "public" {
        "gatehouse".clone_into(&mut config.schema);
    }
    Ok(Some(config))
}

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Cli) -> Result<(), Failure> {
    match arguments.command {
        #[cfg(feature = "platform-side")]
        Command::Quickstart(arguments) => crate::quickstart::run(&arguments),
        #[cfg(feature = "platform-side")]
        Command::Platform(arguments) => platform::run(arguments),
        Command::Node(arguments) => node::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Config(command) => config::run(command),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Hybrid(command) => hybrid::run(&command),
        Command::Hosts(arguments) => hosts::run(&arguments),
        #[cfg(feature = "platform-side")]
        Command::Admin(command) => admin::run(&command),
        Command::Vault(command) => vault::run(command),
        Command::Version => {
            version::run();
            Ok(())
        }
    }
}
