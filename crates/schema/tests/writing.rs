//! Inserting, replacing and patching: defaults, made-up values, merging, shorthands.

use gatehouse_schema::{Check, Field, Makers, Map, Mode, Schema, Shorthand};
use serde_json::{Value, json};

fn map(value: Value) -> Map {
    let object: Option<Map> = match value {
        Value::Object(members) => Some(members),
        _ => None,
    };
    object.expect("the test writes objects")
}

fn schema() -> Schema {
    let inner = Schema::record([
        Field::string("host"),
        Field::integer("port").default(6379),
        Field::array("list", Field::integer("")).default(json!([1, 2])),
    ]);
    Schema::new("things")
        .field(Field::id())
        .field(Field::string("name").required())
        .field(Field::integer("retries").default(5))
        .field(Field::record("redis", inner).required())
        .field(Field::record("extra", Schema::record([Field::integer("n").default(1)])).optional())
        .field(Field::created_at())
        .field(Field::updated_at())
}

const MAKERS: Makers = Makers {
    unix_millis: || 1_700_000_000_123,
    uuid: || "a0000000-0000-4000-8000-000000000001".to_owned(),
    secret: || "s".repeat(32),
};

#[test]
fn members_end_in_the_order_of_the_description() {
    let mut body = map(json!({"retries": 1, "name": "x"}));
    schema()
        .process_with(&mut body, Mode::Insert, Some(&MAKERS))
        .expect("valid");
    let names: Vec<&String> = body.keys().collect();
    assert_eq!(
        names,
        [
            "id",
            "name",
            "retries",
            "redis",
            "extra",
            "created_at",
            "updated_at"
        ]
    );
}

#[test]
fn insert_fills_defaults_at_every_depth_but_not_into_optional_records() {
    let mut body = map(json!({"name": "x", "redis": {"host": "h"}}));
    schema()
        .process_with(&mut body, Mode::Insert, Some(&MAKERS))
        .expect("valid");
    assert_eq!(
        body["redis"],
        json!({"host": "h", "port": 6379, "list": [1, 2]})
    );
    assert_eq!(body["extra"], Value::Null);
    assert_eq!(body["retries"], json!(5));
    assert_eq!(body["created_at"], json!(1_700_000_000));
    assert_eq!(body["id"], json!("a0000000-0000-4000-8000-000000000001"));
}

#[test]
fn clients_choose_the_time_of_creation_but_not_of_the_last_change() {
    let mut body = map(json!({"name": "x", "created_at": 7, "updated_at": 8}));
    schema()
        .process_with(&mut body, Mode::Insert, Some(&MAKERS))
        .expect("valid");
    assert_eq!(body["created_at"], json!(7));
    assert_eq!(body["updated_at"], json!(1_700_000_000));
}

#[test]
fn without_makers_nothing_is_made_up() {
    let mut body = map(json!({"name": "x"}));
    schema().process(&mut body, Mode::Insert).expect("valid");
    assert!(!body.contains_key("id"));
}

#[test]
fn a_patch_merges_records_and_replaces_lists() {
    let mut stored = map(json!({"name": "x", "redis": {"host": "h", "list": [7, 8]}}));
    schema()
        .process_with(&mut stored, Mode::Insert, Some(&MAKERS))
        .expect("valid");
    let mut body = map(json!({"redis": {"port": 1, "list": [9]}}));
    schema()
        .process_with(&mut body, Mode::Update { stored: &stored }, Some(&MAKERS))
        .expect("valid");
    assert_eq!(body["redis"], json!({"host": "h", "port": 1, "list": [9]}));
    assert_eq!(body["name"], json!("x"));
    assert_eq!(body["id"], stored["id"]);
}

#[test]
fn a_patch_with_null_clears_and_cannot_clear_what_is_required() {
    let stored = map(json!({"name": "x", "retries": 3, "redis": {}}));
    let mut body = map(json!({"retries": null}));
    schema()
        .process(&mut body, Mode::Update { stored: &stored })
        .expect("valid");
    assert_eq!(body["retries"], Value::Null);
    let mut body = map(json!({"name": null}));
    let violations = schema()
        .process(&mut body, Mode::Update { stored: &stored })
        .expect_err("the name is required");
    assert_eq!(
        violations.fields(),
        json!({"name": "required field missing"})
    );
}

#[test]
fn a_patch_names_its_checks_as_such() {
    let schema = Schema::new("things")
        .fields([Field::string("a"), Field::string("b")])
        .check(Check::AtLeastOneOf(vec!["a", "b"]));
    let stored = map(json!({"a": "x", "b": null}));
    let mut body = map(json!({"a": null}));
    let violations = schema
        .process(&mut body, Mode::Update { stored: &stored })
        .expect_err("nothing is left");
    assert_eq!(
        violations.entity(),
        ["when updating, at least one of these fields must be non-empty: 'a', 'b'"]
    );
}

#[test]
fn immutable_members_can_be_sent_again_but_not_changed() {
    let schema = Schema::new("things").field(Field::string("kind").immutable());
    let stored = map(json!({"kind": "x"}));
    let mut same = map(json!({"kind": "x"}));
    assert!(
        schema
            .process(&mut same, Mode::Update { stored: &stored })
            .is_ok()
    );
    let mut other = map(json!({"kind": "y"}));
    let violations = schema
        .process(&mut other, Mode::Update { stored: &stored })
        .expect_err("it is immutable");
    assert_eq!(
        violations.fields(),
        json!({"kind": "immutable field cannot be updated"})
    );
}

#[test]
fn unknown_members_are_refused_at_every_depth() {
    let mut body = map(json!({"name": "x", "a.b": 1, "redis": {"bogus": 1}}));
    let violations = schema()
        .process(&mut body, Mode::Insert)
        .expect_err("unknown");
    assert_eq!(
        violations.fields(),
        json!({"a.b": "unknown field", "redis": {"bogus": "unknown field"}})
    );
}

fn with_alias() -> Schema {
    let inner = Schema::record([Field::string("host"), Field::integer("port").default(6379)]);
    Schema::new("limits")
        .field(Field::record("redis", inner).required())
        .shorthand(Shorthand::replaced(
            Field::string("redis_host"),
            "redis.host",
        ))
        .shorthand(Shorthand::replaced(
            Field::integer("redis_port"),
            "redis.port",
        ))
}

#[test]
fn an_old_name_moves_its_value_to_the_new_place() {
    let mut body = map(json!({"redis_host": "h", "redis_port": 1}));
    with_alias()
        .process(&mut body, Mode::Insert)
        .expect("valid");
    assert_eq!(
        Value::Object(body.clone()),
        json!({"redis": {"host": "h", "port": 1}})
    );
    with_alias().emit_shorthands(&mut body);
    assert_eq!(body["redis_host"], json!("h"));
    assert_eq!(body["redis_port"], json!(1));
}

#[test]
fn what_is_emitted_can_be_sent_back() {
    let mut body = map(json!({"redis": {"host": "h"}}));
    with_alias()
        .process(&mut body, Mode::Insert)
        .expect("valid");
    let before = body.clone();
    with_alias().emit_shorthands(&mut body);
    with_alias()
        .process(&mut body, Mode::Insert)
        .expect("equal values agree");
    assert_eq!(body, before);
}

#[test]
fn an_old_and_a_new_name_must_agree() {
    let mut body = map(json!({"redis_host": "a", "redis": {"host": "b"}}));
    let violations = with_alias()
        .process(&mut body, Mode::Insert)
        .expect_err("they differ");
    assert_eq!(
        violations.fields(),
        json!({"redis_host": "both deprecated and new field are used but their values mismatch: \
                              redis_host = a vs redis.host = b"})
    );
}

#[test]
fn a_null_under_the_old_name_never_replaces_a_value() {
    let mut body = map(json!({"redis_host": null, "redis": {"host": "b"}}));
    with_alias()
        .process(&mut body, Mode::Insert)
        .expect("valid");
    assert_eq!(body["redis"]["host"], json!("b"));
}

#[test]
fn an_alias_that_is_wrong_itself_is_all_that_is_said() {
    let mut body = map(json!({"redis_host": 5, "bogus": 1}));
    let violations = with_alias()
        .process(&mut body, Mode::Insert)
        .expect_err("not a text");
    assert_eq!(
        violations.fields(),
        json!({"redis_host": "expected a string"})
    );
}
