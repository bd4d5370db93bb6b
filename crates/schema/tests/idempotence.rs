//! Completing what is complete changes nothing, whatever was sent.

use gatehouse_schema::{Check, Field, Map, Mode, Schema};
use proptest::prelude::*;
use serde_json::{Value, json};

fn schema() -> Schema {
    let inner = Schema::record([
        Field::string("host").default("h"),
        Field::integer("port").default(80),
        Field::set("list", Field::number("")),
    ]);
    Schema::new("things")
        .field(Field::string("name"))
        .field(Field::integer("retries").default(5))
        .field(Field::number("rate"))
        .field(Field::boolean("enabled").required().default(true))
        .field(Field::set("tags", Field::string("")))
        .field(Field::array("records", Field::record("", inner.clone())))
        .field(Field::map(
            "headers",
            Field::string(""),
            Field::array("", Field::string("")),
        ))
        .field(Field::record("nested", inner).required())
        .field(Field::json("anything"))
        .check(Check::Distinct(vec!["name", "rate"]))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1000i64..1000).prop_map(Value::from),
        (-10.0f64..10.0).prop_map(Value::from),
        "[a-z~ ]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let key = prop_oneof![Just("host"), Just("port"), Just("list"), Just("x")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::hash_map(key.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn body() -> impl Strategy<Value = Map> {
    let names = [
        "name", "retries", "rate", "enabled", "tags", "records", "headers", "nested", "anything",
    ];
    prop::collection::hash_map(prop::sample::select(names.to_vec()), value(), 0..6).prop_map(
        |members| {
            members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()
        },
    )
}

proptest! {
    #[test]
    fn completion_is_idempotent(mut body in body()) {
        if schema().process(&mut body, Mode::Insert).is_ok() {
            let once = body.clone();
            schema().process(&mut body, Mode::Insert).expect("what was accepted stays so");
            prop_assert_eq!(&once, &body);
            let mut empty = Map::new();
            schema().process(&mut empty, Mode::Update { stored: &once }).expect("nothing changed");
            prop_assert_eq!(&once, &empty);
        }
    }

    #[test]
    fn violations_render_for_every_input(mut body in body()) {
        if let Err(violations) = schema().process(&mut body, Mode::Insert) {
            prop_assert!(violations.message().contains("schema violation"));
            prop_assert!(violations.iter().count() > 0);
            prop_assert!(violations.fields().is_object());
        }
    }
}

#[test]
fn a_body_of_every_kind_is_accepted() {
    let Value::Object(mut body) = json!({
        "name": "n", "retries": 1.0, "tags": ["a", "a"], "records": [{}, {"port": 2}],
        "headers": {"x": ["1"]}, "nested": {"list": [1, 1, 2.5]}, "anything": [{"deep": null}],
    }) else {
        return;
    };
    schema().process(&mut body, Mode::Insert).expect("valid");
    assert_eq!(body["nested"]["list"], json!([1, 2.5]));
    assert_eq!(
        body["records"][1],
        json!({"host": "h", "port": 2, "list": null})
    );
}
