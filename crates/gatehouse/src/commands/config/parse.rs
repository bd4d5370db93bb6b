//! `gatehouse config parse`: checks a declarative file without changing anything.

use std::path::Path;

use declarative::{Document, Format, Limits, Options};
use entities::Catalogue;

use crate::failure::Failure;
use crate::{files, output};

pub(super) fn run(file: &Path) -> Result<(), Failure> {
    let count = check(file)?;
    output::print(&format!("`{}` is valid: {count} entities", file.display()));
    Ok(())
}

/// Checks a file; gives the number of its entities.
pub(crate) fn check(file: &Path) -> Result<usize, Failure> {
    let text = files::read_bytes(file)?;
    let title = format!("`{}` has mistakes:", file.display());
    let document = Document::parse(&text, Format::Auto, Limits::default())
        .map_err(|error| Failure::new(error).under(&title))?;
    let catalogue = Catalogue::new(plugins::catalogue());
    let config = document
        .normalise(&catalogue, Options::default())
        .map_err(|problems| Failure::all(&problems).under(&title))?;
    Ok(config.tables.values().map(Vec::len).sum())
}
