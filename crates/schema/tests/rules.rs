//! Every rule of a field, its exact message, and the order of evaluation.

use gatehouse_schema::{Field, Map, Mode, Pattern, Schema};
use serde_json::{Value, json};

fn map(value: Value) -> Map {
    let object: Option<Map> = match value {
        Value::Object(members) => Some(members),
        _ => None,
    };
    object.expect("the test writes objects")
}

fn fault(field: Field, value: impl Into<Value>) -> Value {
    let name = field.name;
    let schema = Schema::new("things").field(field);
    let mut body = map(json!({ name: value.into() }));
    match schema.process(&mut body, Mode::Insert) {
        Ok(()) => Value::Null,
        Err(violations) => violations.fields()[name].clone(),
    }
}

#[test]
fn kinds_name_what_they_expect() {
    let cases = [
        (Field::string("a"), json!(5), "expected a string"),
        (Field::integer("a"), json!("5"), "expected an integer"),
        (Field::integer("a"), json!(1.5), "expected an integer"),
        (Field::number("a"), json!("1"), "expected a number"),
        (Field::boolean("a"), json!("yes"), "expected a boolean"),
        (
            Field::array("a", Field::string("")),
            json!("x"),
            "expected an array",
        ),
        (
            Field::set("a", Field::string("")),
            json!({"x": 1}),
            "expected a set",
        ),
        (
            Field::map("a", Field::string(""), Field::string("")),
            json!([1]),
            "expected a map",
        ),
        (
            Field::record("a", Schema::record([])),
            json!(5),
            "expected a record",
        ),
    ];
    for (field, value, message) in cases {
        assert_eq!(fault(field, value.clone()), json!(message), "{value}");
    }
}

#[test]
fn numbers_without_a_fraction_count_as_integers() {
    let schema = Schema::new("things").field(Field::integer("port"));
    let mut body = map(json!({"port": 80.0}));
    schema
        .process(&mut body, Mode::Insert)
        .expect("80.0 is an integer");
    assert_eq!(body["port"].to_string(), "80");
}

#[test]
fn a_number_too_large_for_any_integer_is_none() {
    assert_eq!(
        fault(Field::integer("a"), json!(1e300)),
        json!("expected an integer")
    );
}

fn speaks(field: Field, value: impl Into<Value>, message: &str) {
    let value = value.into();
    assert_eq!(fault(field, value.clone()), json!(message), "{value}");
}

fn digits() -> Pattern {
    Pattern::new("^%d+$", "^[0-9]+$")
}

#[test]
fn rules_of_values_speak_as_the_reference_does() {
    speaks(Field::string("a").eq("x"), "y", "value must be x");
    speaks(
        Field::integer("a").one_of([1, 2]),
        3,
        "expected one of: 1, 2",
    );
    speaks(
        Field::string("a").not_one_of(["x", "y"]),
        "y",
        "must not be one of: x, y",
    );
    speaks(Field::number("a").gt(0), 0, "value must be greater than 0");
    speaks(
        Field::integer("a").timestamp(),
        0,
        "expected a valid timestamp",
    );
    speaks(Field::string("a").uuid(), "x", "expected a valid UUID");
    speaks(
        Field::integer("a").between(0, 9),
        10,
        "value should be between 0 and 9",
    );
    speaks(
        Field::number("a").between(0.5, 1),
        2,
        "value should be between 0.5 and 1",
    );
}

#[test]
fn rules_of_texts_speak_as_the_reference_does() {
    let text = || Field::string("a");
    speaks(text().is_regex(), "(", "not a valid regex: (");
    speaks(text().len_eq(2), "abc", "length must be 2");
    speaks(text().len_min(2), "a", "length must be at least 2");
    speaks(text().len_max(2), "abc", "length must be at most 2");
    speaks(text().starts_with("/"), "x", "should start with: /");
    speaks(text().matches(digits()), "x", "invalid value: x");
    speaks(
        text().match_none([(digits(), "no digits")]),
        "1",
        "no digits",
    );
    speaks(
        text().match_all([(digits(), "digits only")]),
        "x",
        "digits only",
    );
    speaks(
        text().match_any([digits()], "some digits"),
        "x",
        "some digits",
    );
}

#[test]
fn rules_of_lists_speak_as_the_reference_does() {
    let set = || Field::set("a", Field::string(""));
    speaks(set().contains("x"), json!(["y"]), "expected to contain: x");
    let subsets: [&[&'static str]; 2] = [&["a", "b"], &["c"]];
    speaks(
        set().exclusive_subsets(&subsets),
        json!(["a", "c"]),
        "these sets are mutually exclusive: ('a', 'b'), ('c')",
    );
}

#[test]
fn the_first_rule_in_fixed_order_speaks() {
    // Declared the other way round: the order of evaluation does not depend on it.
    let field = Field::string("a")
        .starts_with("/")
        .len_min(3)
        .one_of(["/abc"]);
    assert_eq!(fault(field, json!("x")), json!("expected one of: /abc"));
    let field = Field::string("a").starts_with("/").len_min(3);
    assert_eq!(fault(field, json!("x")), json!("length must be at least 3"));
}

#[test]
fn an_empty_text_is_too_short_unless_zero_is_allowed() {
    assert_eq!(
        fault(Field::string("a"), json!("")),
        json!("length must be at least 1")
    );
    assert_eq!(fault(Field::string("a").len_min(0), json!("")), Value::Null);
    let path = Field::string("a").starts_with("/");
    assert_eq!(fault(path, json!("")), json!("length must be at least 1"));
    let choice = Field::string("a").one_of(["x"]);
    assert_eq!(fault(choice, json!("")), json!("expected one of: x"));
}

#[test]
fn a_message_of_the_field_replaces_those_of_its_rules() {
    let field = Field::string("a").len_min(3).err("no good");
    assert_eq!(fault(field, json!("x")), json!("no good"));
}

#[test]
fn null_is_refused_only_where_a_value_is_required() {
    assert_eq!(fault(Field::string("a"), Value::Null), Value::Null);
    assert_eq!(
        fault(Field::string("a").required(), Value::Null),
        json!("required field missing")
    );
    let with_default = Field::integer("a").default(5);
    let schema = Schema::new("things").field(with_default);
    let mut body = map(json!({"a": null}));
    schema
        .process(&mut body, Mode::Insert)
        .expect("null is a value");
    assert_eq!(body["a"], Value::Null);
}

#[test]
fn elements_are_reported_by_position_with_nulls_between() {
    let field = Field::array("a", Field::string("").starts_with("/"));
    let found = fault(field, json!(["/x", "y", "/z", 5, null]));
    assert_eq!(
        found,
        json!([
            null,
            "should start with: /",
            null,
            "expected a string",
            "required field missing"
        ])
    );
}

#[test]
fn the_first_fault_of_a_map_stands_for_the_whole() {
    let values = Field::array("", Field::string(""));
    let field = Field::map("a", Field::header_name(""), values);
    assert_eq!(
        fault(field.clone(), json!({"x": "y"})),
        json!("expected an array")
    );
    assert_eq!(
        fault(field, json!({"a b": []})),
        json!("bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'")
    );
}

#[test]
fn sets_lose_duplicates_and_keep_the_first_order() {
    let schema = Schema::new("things").field(Field::set("a", Field::string("")));
    let mut body = map(json!({"a": ["b", "a", "b", "c", "a"]}));
    schema.process(&mut body, Mode::Insert).expect("valid");
    assert_eq!(body["a"], json!(["b", "a", "c"]));
    let many: Vec<String> = (0..100).map(|number| format!("t{}", number % 40)).collect();
    let mut body = map(json!({ "a": many }));
    schema.process(&mut body, Mode::Insert).expect("valid");
    assert_eq!(body["a"].as_array().map(Vec::len), Some(40));
}

#[test]
fn empty_lists_and_empty_objects_mean_the_same() {
    let schema = Schema::new("things")
        .field(Field::array("list", Field::string("")))
        .field(Field::map("map", Field::string(""), Field::string("")))
        .field(Field::record(
            "record",
            Schema::record([Field::integer("n").default(1)]),
        ));
    let mut body = map(json!({"list": {}, "map": [], "record": []}));
    schema.process(&mut body, Mode::Insert).expect("valid");
    assert_eq!(
        Value::Object(body),
        json!({"list": [], "map": {}, "record": {"n": 1}})
    );
}

#[test]
fn foreign_keys_are_objects_with_a_uuid() {
    let field = || Field::foreign("a", "services");
    assert_eq!(
        fault(field(), json!({})),
        json!({"id": "missing primary key"})
    );
    assert_eq!(
        fault(field(), json!("x")),
        json!({"id": "missing primary key"})
    );
    assert_eq!(
        fault(field(), json!({"id": "x"})),
        json!({"id": "expected a valid UUID"})
    );
    let schema = Schema::new("things").field(field());
    let mut body = map(json!({"a": {"name": "s", "id": "A0000000-0000-4000-8000-00000000000B"}}));
    schema.process(&mut body, Mode::Insert).expect("valid");
    assert_eq!(
        body["a"],
        json!({"id": "a0000000-0000-4000-8000-00000000000b"})
    );
}

#[test]
fn references_into_a_vault_are_not_judged_by_content() {
    let field = Field::string("a").referenceable().starts_with("/");
    assert_eq!(
        fault(field.clone(), json!("{vault://env/secret}")),
        Value::Null
    );
    assert_eq!(
        fault(field.clone(), json!("{vault://env}")),
        json!("should start with: /")
    );
    assert_eq!(
        fault(field, json!("{vault:///x}")),
        json!("should start with: /")
    );
}
