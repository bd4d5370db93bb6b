//! `gatehouse config`: declarative files.

mod export;
mod history;
mod import;
mod init;
mod parse;
mod plane;
mod target;

pub(super) use parse::{check, read_with};

use crate::cli::Config;
use crate::failure::Failure;

pub(super) fn run(command: Config) -> Result<(), Failure> {
    match command {
        Config::Parse { file } => parse::run(&file),
        Config::Import(arguments) => import::run(&arguments),
        Config::Export(arguments) => export::run(&arguments),
        Config::History(arguments) => history::history(&arguments),
        Config::Diff(arguments) => history::diff(&arguments),
        Config::Rollback(arguments) => history::rollback(&arguments),
        Config::Init { file } => init::run(&file),
    }
}
