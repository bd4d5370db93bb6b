//! One file per command.

#[cfg(feature = "platform-side")]
mod admin;
mod check;
mod config;
mod echo;
mod hosts;
mod hybrid;
mod node;
mod open_files;
#[cfg(feature = "platform-side")]
mod platform;
mod version;

#[cfg(feature = "platform-side")]
pub(crate) use admin::{PASSWORD_LENGTH, find_user, new_token};
#[cfg(feature = "platform-side")]
pub(crate) use hosts::write as write_hosts;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

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
        Command::Hybrid(command) => hybrid::run(&command),
        Command::Hosts(arguments) => hosts::run(&arguments),
        #[cfg(feature = "platform-side")]
        Command::Admin(command) => admin::run(&command),
        Command::Version => {
            version::run();
            Ok(())
        }
    }
}
