//! `gatehouse config`: declarative files.

mod import;
mod init;
mod parse;

pub(super) use parse::check;

use crate::cli::Config;
use crate::failure::Failure;

pub(super) fn run(command: Config) -> Result<(), Failure> {
    match command {
        Config::Parse { file } => parse::run(&file),
        Config::Import(arguments) => import::run(&arguments),
        Config::Init { file } => init::run(&file),
    }
}
