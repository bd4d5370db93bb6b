//! The one binary: arguments, assembly, shutdown.
//!
//! `cli` says what may be typed, `commands` holds one file per command, `quickstart` the whole
//! installation on one machine, `node` the Admin API of a node, `client` a small HTTPS client for the platform's API.
//!
//! Nothing is decided here that another program could want too: that is in the rooms below.

#[cfg(feature = "platform-side")]
mod backup;
mod cli;
mod client;
mod commands;
mod environment;
mod failure;
mod files;
mod logging;
mod node;
mod output;
#[cfg(feature = "platform-side")]
mod quickstart;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A wrong command or flag ends here with a message and code 2.
    let arguments = cli::Cli::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}
