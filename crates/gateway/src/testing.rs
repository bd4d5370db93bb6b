//! Builders for tests of this room.

use std::sync::Arc;

use conf::Settings;
use declarative::{Config, Document, Format, Limits, Options};
use entities::Catalogue;
use plugin_api::NodeInfo;
use uuid::Uuid;

use crate::snapshot::{Compile, Snapshot};

pub(crate) fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::new(plugins::catalogue()))
}

pub(crate) fn document(yaml: &str) -> Document {
    Document::parse(yaml.as_bytes(), Format::Yaml, Limits::default()).expect("it is YAML")
}

/// A valid configuration; the format version is added.
pub(crate) fn config(yaml: &str) -> Config {
    let text = format!("_format_version: '3.0'\n{yaml}");
    match document(&text).normalise(&catalogue(), Options::default()) {
        Ok(config) => config,
        Err(problems) => panic!("{}", lines(&problems).join("\n")),
    }
}

pub(crate) fn lines(problems: &[declarative::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

pub(crate) fn compile() -> Compile {
    let node = NodeInfo::new(Uuid::nil(), "test");
    Compile::new(&Settings::builtin(), node, None).expect("built-in settings compile")
}

pub(crate) fn snapshot(yaml: &str) -> Snapshot {
    let snapshot = Snapshot::compile(
        &config(yaml),
        "0123456789abcdef0123456789abcdef",
        &compile(),
    );
    snapshot.unwrap_or_else(|problems| panic!("{}", lines(&problems).join("\n")))
}
