//! What lies around a document that is only a part of a configuration.

use std::collections::{HashMap, HashSet};

use entities::{Catalogue, Map};
use serde_json::Value;

use crate::table::PackedRows;

/// Rows outside of a document that it may refer to, and the tags of what it manages.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Ids of rows, by kind.
    ids: HashMap<&'static str, HashSet<String>>,
    /// Ids by kind and name.
    names: HashMap<&'static str, HashMap<String, String>>,
    /// The partials among them by id: plugins of the document are judged with them.
    partials: HashMap<String, Map>,
    /// Added to every entity that can have tags.
    tags: Vec<String>,
}

impl Surroundings {
    /// These rows, by plural name, can be referred to by id or name.
    #[must_use]
    pub fn of_rows(catalogue: &Catalogue, tables: &PackedRows) -> Self {
        let mut around = Self::default();
        for kind in catalogue.kinds() {
            let rows = tables.get(kind.name).map_or(&[][..], Vec::as_slice);
            for row in rows {
                let row = row.open();
                let text = |member: &str| row.get(member).and_then(Value::as_str);
                let Some(id) = text(kind.primary_key) else {
                    continue;
                };
                let ids = around.ids.entry(kind.name).or_default();
                ids.insert(id.to_owned());
                if kind.name == "partials" {
                    around.partials.insert(id.to_owned(), row.clone());
                }
                if let Some(name) = kind.endpoint_key.and_then(text) {
                    let names = around.names.entry(kind.name).or_default();
                    names.insert(name.to_owned(), id.to_owned());
                }
            }
        }
        around
    }

    /// Every entity that can have tags gets these.
    #[must_use]
    pub fn with_tags(mut self, tags: Vec<String>) -> Self {
        self.tags = tags;
        self
    }

    pub(super) fn partial(&self, id: &str) -> Option<&Map> {
        self.partials.get(id)
    }

    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The id of the row of a kind with that id or name.
    pub(super) fn find(&self, kind: &str, text: &str) -> Option<&str> {
        let id = self.ids.get(kind).and_then(|ids| ids.get(text));
        let by_name = || self.names.get(kind)?.get(text);
        id.or_else(by_name).map(String::as_str)
    }
}
