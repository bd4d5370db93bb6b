//! From a document to flat tables.
//!
//! In order: the document's own members, migration of old formats, flattening with ids,
//! references, uniqueness, then the schema of every entity. Everything is reported; the
//! reference stops after the first sort of problem, which [`crate::error_body`] imitates.

mod collect;
mod header;
mod migrate;
mod nulls;
mod protocols;
mod resolve;
mod validate;

use entities::Catalogue;
use serde_json::Value;

use crate::config::Config;
use crate::document::{Document, Step};
use crate::problem::{Place, Problem};
use collect::Entry;

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
        self.clone().into_config(catalogue, options)
    }

    /// [`Document::normalise`] without a copy of the content.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, sorted by path within each sort of problem.
    pub fn into_config(
        mut self,
        catalogue: &Catalogue,
        options: Options,
    ) -> Result<Config, Vec<Problem>> {
        let root = std::mem::take(&mut self.root);
        let original = root.clone();
        let mut work = Work {
            catalogue,
            options,
            entries: Vec::new(),
            problems: Vec::new(),
            plugin_configs: serde_json::Map::new(),
            transform: true,
            original,
        };
        let mut members = match root {
            Value::Object(members) => members,
            _ => serde_json::Map::new(),
        };
        work.header(&mut members);
        work.collect(members);
        work.resolve();
        work.check_unique();
        work.validate();
        work.check_protocols();
        if work.problems.is_empty() {
            return Ok(work.finish());
        }
        self.root = work.original;
        let mut problems = work.problems;
        for problem in &mut problems {
            problem.line = self.line_of(&problem.steps);
        }
        problems.sort_by_key(|problem| problem.place.stage());
        Err(problems)
    }
}

/// One normalisation.
struct Work<'a> {
    catalogue: &'a Catalogue,
    options: Options,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    plugin_configs: serde_json::Map<String, Value>,
    /// Whether secrets in the document are plain and have to be transformed for storage.
    transform: bool,
    /// The document as submitted, for lines and reports.
    original: Value,
}

impl Work<'_> {
    /// A problem that belongs to no entity.
    fn top(&mut self, steps: Vec<Step>, message: &str) {
        self.problems
            .push(Problem::new(steps, message, Place::Field, None));
    }

    fn finish(self) -> Config {
        let mut config = Config::default();
        for entry in self.entries {
            let kind = &self.catalogue.kinds()[entry.kind];
            config
                .tables
                .entry(kind.name.to_owned())
                .or_default()
                .push(entry.body);
        }
        config
    }
}
