//! What was read, written back, changes nothing: bodies made up from each description, written
//! in every way.

mod common;
#[path = "../../schema/tests/fits/mod.rs"]
mod fits;
#[path = "common/material.rs"]
mod material;

use common::{catalogue, map};
use gatehouse_entities::{Catalogue, EntityKind, Map, Mode};
use material::fill;
use proptest::prelude::*;
use schema::sample::Sample;
use serde_json::{Value, json};

/// How many bodies are made up until one is accepted.
const TRIES: usize = 200;

/// The members that follow from the time of a write.
const MOMENTS: [&str; 2] = ["created_at", "updated_at"];

/// An accepted body of a kind: what was sent, and what became of it.
fn accepted(catalogue: &Catalogue, kind: &EntityKind, seed: u64) -> (Map, Map) {
    let mut sample = Sample::new(seed);
    let mut outcome = Err(String::new());
    for _ in 0..TRIES {
        let mut sent = made_up(catalogue, kind, &mut sample);
        fill(kind.name, &mut sent, &mut sample);
        let mut body = sent.clone();
        match catalogue.validate(kind.name, &mut body, Mode::Insert) {
            Ok(()) => {
                outcome = Ok((sent, body));
                break;
            }
            Err(violations) => outcome = Err(violations.message()),
        }
    }
    outcome.expect(kind.name)
}

fn made_up(catalogue: &Catalogue, kind: &EntityKind, sample: &mut Sample) -> Map {
    let name = |names: Vec<&str>, sample: &mut Sample| names[sample.below(names.len())].to_owned();
    match kind.name {
        "plugins" => {
            let name = name(catalogue.plugins().names(), sample);
            let mut body = sample.body(catalogue.plugin_schema(&name).expect("a plugin"));
            body.insert("name".to_owned(), Value::String(name));
            body
        }
        "partials" => {
            let name = name(catalogue.partial_types().collect(), sample);
            let mut body = sample.body(catalogue.partial_schema(&name).expect("a type"));
            body.insert("type".to_owned(), Value::String(name));
            body
        }
        _ => sample.body(&kind.schema),
    }
}

/// What an API shows of a stored body, with what it does not show: whoever writes that back knows
/// it. A time to live is stored as its end and shown as what is left, which is the API's business.
fn read(catalogue: &Catalogue, kind: &EntityKind, stored: &Map) -> Map {
    let mut read = stored.clone();
    catalogue.expose(kind.name, &mut read);
    for field in kind.schema.fields.iter().filter(|field| field.write_only) {
        read.insert(field.name.to_owned(), stored[field.name].clone());
    }
    read.shift_remove("ttl");
    read
}

fn without_moments(mut body: Map) -> Map {
    for name in MOMENTS {
        body.shift_remove(name);
    }
    body
}

fn written(catalogue: &Catalogue, kind: &EntityKind, body: &Map, mode: Mode<'_>) -> Map {
    let mut body = body.clone();
    let outcome = catalogue.validate(kind.name, &mut body, mode);
    assert_eq!(outcome, Ok(()), "{}: {body:?}", kind.name);
    without_moments(body)
}

/// A password is hashed when it is written, so it is no password when it is read.
fn is_one_way(kind: &EntityKind) -> bool {
    kind.name == "basicauth_credentials"
}

/// Filters are refused while none is installed.
fn kinds(catalogue: &Catalogue) -> impl Iterator<Item = &EntityKind> {
    catalogue
        .kinds()
        .iter()
        .filter(|kind| kind.name != "filter_chains")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_read_written_back_changes_nothing(seed in any::<u64>()) {
        let catalogue = catalogue();
        for kind in kinds(&catalogue).filter(|kind| !is_one_way(kind)) {
            let (_, stored) = accepted(&catalogue, kind, seed);
            let read = read(&catalogue, kind, &stored);
            let mut expected = without_moments(stored.clone());
            expected.shift_remove("ttl");
            prop_assert_eq!(&written(&catalogue, kind, &read, Mode::Upsert), &expected);
            prop_assert_eq!(&written(&catalogue, kind, &read, Mode::Insert), &expected);
            let mode = Mode::Update { stored: &stored };
            let mut patched = written(&catalogue, kind, &read, mode);
            patched.shift_remove("ttl");
            prop_assert_eq!(&patched, &expected);
        }
    }

    #[test]
    fn an_empty_patch_changes_nothing(seed in any::<u64>()) {
        let catalogue = catalogue();
        for kind in kinds(&catalogue) {
            let (_, stored) = accepted(&catalogue, kind, seed);
            let mode = Mode::Update { stored: &stored };
            let patched = written(&catalogue, kind, &Map::new(), mode);
            prop_assert_eq!(patched, without_moments(stored));
        }
    }

    #[test]
    fn what_is_accepted_fits_the_json_schema(seed in any::<u64>()) {
        let catalogue = catalogue();
        for kind in kinds(&catalogue) {
            let (sent, stored) = accepted(&catalogue, kind, seed);
            let mut documents = vec![kind.json_schema()];
            if kind.name == "plugins" {
                let name = stored["name"].as_str().unwrap_or_default();
                documents.push(catalogue.plugin_json_schema(name).expect("a plugin"));
            }
            let shown = read(&catalogue, kind, &stored);
            for document in &documents {
                for body in [&sent, &shown] {
                    let body = Value::Object(body.clone());
                    let faults = fits::faults(document, &body);
                    prop_assert!(faults.is_empty(), "{}: {faults:#?} in {body:#}", kind.name);
                }
            }
        }
    }
}

#[test]
fn an_old_name_and_its_replacement_end_in_the_same_body() {
    let catalogue = catalogue();
    let stored = |config: Value| {
        let body = map(json!({"name": "limit", "config": config}));
        let kind = catalogue.kind("plugins").expect("plugins");
        let mut stored = written(&catalogue, kind, &body, Mode::Insert);
        stored.shift_remove("id");
        stored
    };
    let new = stored(json!({"minute": 1, "redis": {"host": "a.test"}}));
    let old = stored(json!({"minute": 1, "redis_host": "a.test"}));
    let both = stored(json!({
        "minute": 1, "redis_host": "a.test", "redis": {"host": "a.test"},
    }));
    assert_eq!(new, old);
    assert_eq!(new, both);
}
