//! Rows of every kind of entity, made up from its description, on the wire and back.

mod common;

use std::collections::BTreeMap;

use common::catalogue;
use entities::{Catalogue, EntityKind, Map, Mode};
use gatehouse_declarative::Config;
use schema::sample::Sample;
use serde_json::{Value, json};

/// Configurations made up.
const CONFIGURATIONS: u64 = 60;

/// How many rows are made up until one is accepted.
const TRIES: usize = 60;

/// Kinds whose rows cannot be made up: certificates, keys, what refers to them, and what is
/// refused as long as no filter is installed.
const WITH_MATERIAL: [&str; 5] = [
    "certificates",
    "snis",
    "ca_certificates",
    "keys",
    "filter_chains",
];

/// Whatever the route speaks, a plugin speaks it too.
const PROTOCOLS: [&str; 8] = [
    "grpc",
    "grpcs",
    "http",
    "https",
    "tcp",
    "tls",
    "tls_passthrough",
    "udp",
];

/// An accepted row that refers to rows that are there only.
fn row(
    catalogue: &Catalogue,
    kind: &EntityKind,
    ids: &BTreeMap<&str, String>,
    sample: &mut Sample,
) -> Option<Map> {
    for _ in 0..TRIES {
        let mut body = match kind.name {
            "plugins" => sample.body(catalogue.plugin_schema("limit")?),
            _ => sample.body(&kind.schema),
        };
        for (field, target) in kind.foreign_fields() {
            let reference = ids.get(target).map(|id| json!({"id": id}));
            body.insert(field.name.to_owned(), reference.unwrap_or(Value::Null));
        }
        body.shift_remove("partials");
        if body.get("id").is_some_and(Value::is_null) {
            body.shift_remove("id");
        }
        if kind.schema.find("enabled").is_some() {
            body.insert("enabled".to_owned(), json!(true));
        }
        match kind.name {
            "plugins" => {
                body.insert("name".to_owned(), json!("limit"));
                // One for the consumer or for the group, and for any route.
                body.insert("consumer".to_owned(), Value::Null);
                body.insert("protocols".to_owned(), json!(PROTOCOLS));
            }
            "vaults" => drop(body.insert("name".to_owned(), json!("env"))),
            "jwt_secrets" => drop(body.insert("algorithm".to_owned(), json!("HS256"))),
            _ => {}
        }
        if catalogue
            .validate(kind.name, &mut body, Mode::Insert)
            .is_ok()
        {
            return Some(body);
        }
    }
    None
}

#[test]
fn a_row_of_every_kind_survives_the_wire() {
    let catalogue = catalogue();
    let mut seen = BTreeMap::new();
    for seed in 0..CONFIGURATIONS {
        let mut sample = Sample::new(seed);
        let mut ids = BTreeMap::new();
        let mut config = Config::default();
        let delivered = |kind: &&EntityKind| kind.delivered;
        for kind in catalogue.kinds().iter().filter(delivered) {
            if WITH_MATERIAL.contains(&kind.name) {
                continue;
            }
            let Some(row) = row(&catalogue, kind, &ids, &mut sample) else {
                continue;
            };
            if let Some(Value::String(id)) = row.get("id") {
                ids.insert(kind.name, id.clone());
            }
            *seen.entry(kind.name).or_insert(0) += 1;
            config.tables.insert(kind.name.to_owned(), vec![row]);
        }
        let table = config.to_table(&catalogue);
        let back = Config::from_table(&table, &catalogue);
        assert_eq!(back.as_ref(), Ok(&config), "{seed}: {table:#}");
    }
    for kind in catalogue.kinds() {
        let is_needed = kind.delivered && !WITH_MATERIAL.contains(&kind.name);
        assert!(!is_needed || seen.contains_key(kind.name), "{}", kind.name);
    }
}
