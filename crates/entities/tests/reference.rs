//! What is published of the descriptions is in step with what the repository shows.

mod common;

use std::path::Path;

use common::{catalogue, map};
use gatehouse_entities::reference_markdown;
use serde_json::{Map, Value, json};

/// Compares with a committed file, or writes it when asked to.
fn in_step(path: &str, generated: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::vars().any(|(name, value)| name == "GATEHOUSE_BLESS" && value == "1") {
        std::fs::write(&file, generated).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == generated,
        "{path} is out of step: run `GATEHOUSE_BLESS=1 cargo test -p gatehouse-entities`"
    );
}

#[test]
fn the_page_about_entities_is_what_the_descriptions_say() {
    in_step("../../docs/entities.md", &reference_markdown(&catalogue()));
}

#[test]
fn the_schema_documents_are_the_reviewed_ones() {
    let catalogue = catalogue();
    let mut documents = Map::new();
    for kind in catalogue.kinds() {
        let mut form = kind.schema.admin_form();
        without_descriptions(&mut form);
        documents.insert(kind.name.to_owned(), form);
    }
    let text = serde_json::to_string_pretty(&Value::Object(documents)).expect("JSON");
    in_step("tests/documents/admin.json", &(text + "\n"));
}

#[test]
fn every_member_says_what_it_means() {
    let catalogue = catalogue();
    for kind in catalogue.kinds() {
        for line in kind.schema.outline() {
            assert!(!line.description.is_empty(), "{}.{}", kind.name, line.path);
        }
    }
    for name in catalogue.partial_types() {
        let schema = catalogue.partial_schema(name).expect("a type");
        for line in schema.outline() {
            assert!(!line.description.is_empty(), "{name}: {}", line.path);
        }
    }
}

#[test]
fn documents_of_vaults_and_partials_say_what_each_type_holds() {
    let catalogue = catalogue();
    let vaults = catalogue.kind("vaults").expect("vaults").json_schema();
    let branches = vaults["allOf"].as_array().expect("branches");
    let of = |name: &str| {
        let is_it = |branch: &&Value| branch["if"]["properties"]["name"]["const"] == json!(name);
        let branch = branches.iter().find(is_it).expect("a branch");
        branch["then"]["properties"]["config"]["properties"].clone()
    };
    assert!(map(of("env")).contains_key("prefix"));
    assert!(map(of("konnect")).contains_key("config_store_id"));
    let partials = catalogue.kind("partials").expect("partials").json_schema();
    assert_eq!(partials["allOf"].as_array().map(Vec::len), Some(2));
}

fn without_descriptions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("description").is_some_and(Value::is_string) {
                members.shift_remove("description");
            }
            members.values_mut().for_each(without_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_descriptions),
        _ => {}
    }
}
