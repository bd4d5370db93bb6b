//! From a document to flat tables.
//!
//! In order: the document's own members, migration of old formats, flattening with ids,
//! references, uniqueness, then the schema of every entity. Everything is reported; the
//! reference stops after the first sort of problem, which [`crate::error_body`] imitates.

mod collect;
mod deck;
mod header;
mod migrate;
mod nulls;
mod partials;
mod protocols;
mod resolve;
mod surroundings;
mod validate;

use std::borrow::Cow;

use entities::{Catalogue, Map, Packed};
use serde_json::Value;

use crate::config::Config;
use crate::document::{Document, Step};
use crate::problem::{Place, Problem};
use crate::table::PackedRows;
use collect::Entry;
pub use surroundings::Surroundings;

/// How a document is normalised.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether references by id may point outside the document.
    pub is_partial: bool,
    /// Whether unknown members are tolerated when their value is null, as data planes do.
    pub ignore_unknown_nulls: bool,
    /// Whether decK's own members (`_info`, `_workspace`, `_konnect`, `_plugin_configs`) are
    /// tolerated. `/config` refuses them.
    pub tolerate_deck: bool,
    /// Whether it holds what nodes get rather than what files hold.
    pub is_table: bool,
    /// Whether `_format_version` may be missing.
    pub version_optional: bool,
}

impl Document {
    /// Flattens, completes and validates the document.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, sorted by path within each sort of problem.
    pub fn normalise(
        &self,
        catalogue: &Catalogue,
        options: Options,
    ) -> Result<Config, Vec<Problem>> {
        self.normalise_within(catalogue, options, &Surroundings::default())
    }

    /// [`Document::normalise`] of a document that is a part of a configuration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, sorted by path within each sort of problem.
    pub fn normalise_within(
        &self,
        catalogue: &Catalogue,
        options: Options,
        around: &Surroundings,
    ) -> Result<Config, Vec<Problem>> {
        let entries = within(Cow::Borrowed(&self.root), catalogue, options, around);
        let entries = entries.map_err(|problems| self.with_lines(problems))?;
        Ok(open(entries, catalogue))
    }

    /// [`Document::normalise_within`] for large documents: gives packed rows, and each part of the
    /// document goes as it is read.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, but without lines and entities, of which nothing is left:
    /// [`Document::normalise_within`] tells them of the same text read once more.
    pub fn into_packed(
        self,
        catalogue: &Catalogue,
        options: Options,
        around: &Surroundings,
    ) -> Result<PackedRows, Vec<Problem>> {
        let entries = within(Cow::Owned(self.root), catalogue, options, around)?;
        Ok(packed(entries, catalogue))
    }

    fn with_lines(&self, mut problems: Vec<Problem>) -> Vec<Problem> {
        for problem in &mut problems {
            problem.line = self.line_of(&problem.steps);
        }
        problems
    }

    /// [`Document::normalise`] of a document that is not needed afterwards.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, sorted by path within each sort of problem.
    pub fn into_config(
        self,
        catalogue: &Catalogue,
        options: Options,
    ) -> Result<Config, Vec<Problem>> {
        self.normalise(catalogue, options)
    }
}

/// Flattens, completes and validates a document that is only read: each entity is copied once.
pub(crate) fn normalise(
    document: &Value,
    catalogue: &Catalogue,
    options: Options,
) -> Result<Config, Vec<Problem>> {
    let around = Surroundings::default();
    let entries = within(Cow::Borrowed(document), catalogue, options, &around)?;
    Ok(open(entries, catalogue))
}

/// A document that may be consumed gives packed entries.
fn within(
    document: Cow<'_, Value>,
    catalogue: &Catalogue,
    options: Options,
    around: &Surroundings,
) -> Result<Vec<Entry>, Vec<Problem>> {
    let is_packing = matches!(document, Cow::Owned(_));
    let document = if options.tolerate_deck {
        deck::plain(document)
    } else {
        document
    };
    let document = migrate::up_to_date(document);
    let kept;
    let (root, original) = if is_packing {
        (document.into_owned(), None)
    } else {
        kept = document;
        ((*kept).clone(), Some(&*kept))
    };
    let mut work = Work {
        catalogue,
        options,
        children: collect::children_of(catalogue),
        entries: Vec::new(),
        problems: Vec::new(),
        plugin_configs: None,
        info: None,
        transform: true,
        original,
        around,
        is_packing,
    };
    if let Value::Object(mut members) = root {
        work.header(&mut members);
        work.collect(members);
    }
    work.resolve();
    work.partial_ids();
    work.validate();
    work.check_partials();
    work.check_protocols();
    if work.problems.is_empty() {
        return Ok(work.entries);
    }
    let mut problems = work.problems;
    problems.sort_by_key(|problem| problem.place.stage());
    Err(problems)
}

/// One normalisation.
struct Work<'a> {
    catalogue: &'a Catalogue,
    options: Options,
    /// For each kind, the kinds that can be nested in it.
    children: Vec<Vec<usize>>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    /// decK's shared configurations of plugins.
    plugin_configs: Option<Map>,
    /// decK's defaults and tags.
    info: Option<Value>,
    /// Whether secrets in the document are plain and have to be transformed for storage.
    transform: bool,
    /// The document as submitted, for reports; `None` when it is consumed.
    original: Option<&'a Value>,
    around: &'a Surroundings,
    /// Whether entities are packed as soon as they are complete.
    is_packing: bool,
}

fn open(entries: Vec<Entry>, catalogue: &Catalogue) -> Config {
    let mut config = Config::default();
    for entry in entries {
        let kind = &catalogue.kinds()[entry.kind];
        let table = config.tables.entry(kind.name.to_owned()).or_default();
        table.push(entry.body);
    }
    config
}

fn packed(entries: Vec<Entry>, catalogue: &Catalogue) -> PackedRows {
    let mut rows = PackedRows::new();
    for entry in entries {
        let kind = &catalogue.kinds()[entry.kind];
        let row = entry.packed.unwrap_or_else(|| Packed::of(&entry.body));
        rows.entry(kind.name.to_owned()).or_default().push(row);
    }
    rows
}

impl Work<'_> {
    /// A problem that belongs to no entity.
    fn top(&mut self, steps: Vec<Step>, message: &str) {
        let problem = Problem::new(steps, message, Place::Field, None);
        self.problems.push(problem);
    }
}
