//! `gatehouse config parse`: checks a declarative file without changing anything.

use std::path::Path;

use declarative::{Config, Document, Format, Limits, Options};
use entities::Catalogue;

use super::plane;
use crate::failure::Failure;
use crate::{files, output};

/// Checks a file as `config db_import` reads it: members of decK's own may be there.
pub(super) fn run(file: &Path) -> Result<(), Failure> {
    let catalogue = Catalogue::new(plugins::catalogue());
    let config = read_with(file, &catalogue)?;
    let warnings = admin_api::warnings_of(&config.tables, &catalogue);
    for warning in plane::warnings(&warnings) {
        output::tell(&warning);
    }
    let count: usize = config.tables.values().map(Vec::len).sum();
    output::print(&format!("`{}` is valid: {count} entities", file.display()));
    Ok(())
}

/// Checks a file as a node reads it, which refuses members of decK's own.
pub(crate) fn check(file: &Path) -> Result<(), Failure> {
    let catalogue = Catalogue::new(plugins::catalogue());
    read(file, &catalogue, Options::default()).map(drop)
}

/// Checks a file against a catalogue; gives what is in it. Members of decK's own may be there.
pub(crate) fn read_with(file: &Path, catalogue: &Catalogue) -> Result<Config, Failure> {
    let options = Options {
        tolerate_deck: true,
        ..Options::default()
    };
    read(file, catalogue, options)
}

/// Checks a file; gives what is in it.
fn read(file: &Path, catalogue: &Catalogue, options: Options) -> Result<Config, Failure> {
    let text = files::read_bytes(file)?;
    let title = format!("`{}` has mistakes:", file.display());
    let document = Document::parse(&text, Format::Auto, Limits::default())
        .map_err(|error| Failure::new(error).under(&title))?;
    document
        .normalise(catalogue, options)
        .map_err(|problems| Failure::all(&problems).under(&title))
}
