//! `gatehouse config parse`: checks a declarative file without changing anything.

use std::path::Path;

use declarative::{Document, Format, Limits, Options};
use entities::Catalogue;

use crate::failure::Failure;
use crate::{files, output};

pub(super) fn run(file: &Path) -> Result<(), Failure> {
    let text = files::read_bytes(file)?;
    let name = file.display();
    let title = format!("`{name}` has mistakes:");
    let document = Document::parse(&text, Format::Auto, Limits::default())
        .map_err(|error| Failure::new(error).under(&title))?;
    let catalogue = Catalogue::new(plugins::catalogue());
    let config = document
        .normalise(&catalogue, Options::default())
        .map_err(|problems| Failure::all(&problems).under(&title))?;
    let count: usize = config.tables.values().map(Vec::len).sum();
    output::print(&format!("`{name}` is valid: {count} entities"));
    Ok(())
}
