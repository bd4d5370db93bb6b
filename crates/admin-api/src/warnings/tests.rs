//! Warnings of whole configurations.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use declarative::{Document, Options};
use entities::{Catalogue, PluginCatalogue};
use schema::Schema;
use serde_json::{Value, json};

use store::Tables;

use super::of_tables;

/// One plugin, which no node runs.
struct Kept;

impl PluginCatalogue for Kept {
    fn schema(&self, name: &str) -> Option<&Schema> {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("kept"));
        (name == "kept").then(|| &*SCHEMA)
    }

    fn names(&self) -> Vec<&str> {
        vec!["kept"]
    }

    fn is_runnable(&self, _name: &str) -> bool {
        false
    }
}

fn catalogue() -> Catalogue {
    Catalogue::new(Arc::new(Kept))
}

#[test]
fn plugins_that_no_node_runs_are_told_while_they_are_on() {
    let found = of_tables(
        &tables(json!({
            "_format_version": "3.0",
            "services": [{"name": "s", "host": "h", "plugins": [{"name": "kept", "enabled": false}]}],
            "plugins": [{"name": "kept"}],
        })),
        &catalogue(),
        None,
    );
    assert_eq!(codes(&found), [("plugin_not_run", "kept")]);
    assert_eq!(found[0]["kind"], "plugins");
}

fn tables(document: Value) -> Tables {
    let document = Document::from_value(document);
    let config = document.normalise(&catalogue(), Options::default());
    store::pack(config.unwrap().tables)
}

fn codes(warnings: &[Value]) -> Vec<(&str, &str)> {
    warnings
        .iter()
        .map(|warning| {
            (
                warning["code"].as_str().unwrap(),
                warning["name"].as_str().unwrap_or(""),
            )
        })
        .collect()
}

#[test]
fn routes_that_never_match_are_told_with_what_hides_them() {
    let found = of_tables(
        &tables(json!({
            "_format_version": "3.0",
            "routes": [
                {"name": "wide", "paths": ["~/api"]},
                {"name": "hidden", "paths": ["/api/v1"]},
                {"name": "free", "paths": ["/other"]},
            ],
        })),
        &catalogue(),
        None,
    );
    assert_eq!(codes(&found), [("route_never_matches", "hidden")]);
    assert!(found[0]["message"].as_str().unwrap().contains("`wide`"));
}

#[test]
fn routes_of_a_disabled_service_hide_nothing() {
    let found = of_tables(
        &tables(json!({
            "_format_version": "3.0",
            "services": [{"name": "off", "host": "h", "enabled": false, "routes": [{"name": "wide", "paths": ["~/api"]}]}],
            "routes": [{"name": "shown", "paths": ["/api/v1"]}],
        })),
        &catalogue(),
        None,
    );
    assert_eq!(codes(&found), []);
}

#[test]
fn patterns_are_told_with_their_field() {
    let found = of_tables(
        &tables(json!({
            "_format_version": "3.0",
            "routes": [{"name": "r", "paths": ["/ok", "~/(a+)+$"], "headers": {"x-a": ["~*(b*)+c"]}}],
        })),
        &catalogue(),
        None,
    );
    assert_eq!(
        codes(&found),
        [("regex_backtracks", "r"), ("regex_backtracks", "r")]
    );
    assert_eq!(
        (&found[0]["field"], &found[1]["field"]),
        (&json!("paths[1]"), &json!("headers.x-a"))
    );
}

#[test]
fn only_managed_rows_are_told() {
    let tables = tables(json!({
        "_format_version": "3.0",
        "routes": [{"name": "r", "paths": ["~/(a+)+$"]}],
    }));
    assert_eq!(
        of_tables(&tables, &catalogue(), Some(&HashSet::new())),
        Vec::<Value>::new()
    );
}
