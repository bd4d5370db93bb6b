//! What the tests of this room share: a catalogue with one plugin, and ways to read documents.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses a part of it"
)]

use std::sync::Arc;

use entities::{Catalogue, Packed, PluginCatalogue};
use gatehouse_declarative::{Config, Document, Format, Limits, Options, PackedRows, Problem};
use schema::{Field, Schema, Shorthand};

/// One plugin, `limit`.
pub(crate) struct OnePlugin(Schema);

impl PluginCatalogue for OnePlugin {
    fn schema(&self, name: &str) -> Option<&Schema> {
        (name == "limit").then_some(&self.0)
    }

    fn names(&self) -> Vec<&str> {
        vec!["limit"]
    }
}

/// A catalogue with that plugin.
pub(crate) fn catalogue() -> Catalogue {
    let redis = Schema::record([Field::host("host"), Field::port("port").default(6379)]);
    let limit = Schema::new("limit")
        .field(Field::number("minute").gt(0))
        .field(Field::record("redis", redis).required())
        .shorthand(Shorthand::replaced(
            Field::string("redis_host"),
            "redis.host",
        ));
    Catalogue::new(Arc::new(OnePlugin(limit)))
}

/// Reads a text that must be readable.
pub(crate) fn parse(text: &str) -> Document {
    let document = Document::parse(text.as_bytes(), Format::Auto, Limits::default());
    assert!(document.is_ok(), "{document:?}\n{text}");
    document.unwrap_or_default()
}

/// Normalises a text that must be valid.
pub(crate) fn config(text: &str) -> Config {
    let config = parse(text).normalise(&catalogue(), Options::default());
    assert!(config.is_ok(), "{config:?}\n{text}");
    config.unwrap_or_default()
}

/// The same rows, packed.
pub(crate) fn packed(config: &Config) -> PackedRows {
    let tables = config.tables.iter();
    tables
        .map(|(kind, rows)| (kind.clone(), rows.iter().map(Packed::of).collect()))
        .collect()
}

/// Normalises a text that must not be valid.
pub(crate) fn problems(text: &str) -> Vec<Problem> {
    parse(text)
        .normalise(&catalogue(), Options::default())
        .expect_err("the document was accepted")
}

/// Problems as people see them.
pub(crate) fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
