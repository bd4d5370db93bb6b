//! Checks over several members: messages, when they run and when they do not.

use gatehouse_schema::{
    Check, Condition, CustomCheck, Failure, Field, Map, Mode, Rule, Schema, Violations,
};
use serde_json::{Value, json};

fn map(value: Value) -> Map {
    let object: Option<Map> = match value {
        Value::Object(members) => Some(members),
        _ => None,
    };
    object.expect("the test writes objects")
}

fn found(check: Check, body: Value) -> Value {
    let schema = Schema::new("things")
        .fields([Field::string("a"), Field::string("b"), Field::integer("n")])
        .check(check);
    outcome(&schema, body).fields()
}

fn outcome(schema: &Schema, body: Value) -> Violations {
    schema
        .process(&mut map(body), Mode::Insert)
        .err()
        .unwrap_or_default()
}

#[test]
fn at_least_one_of_counts_neither_null_nor_empty() {
    let check = || Check::AtLeastOneOf(vec!["a", "b"]);
    let message = json!(["at least one of these fields must be non-empty: 'a', 'b'"]);
    assert_eq!(found(check(), json!({}))["@entity"], message);
    assert_eq!(found(check(), json!({"a": null}))["@entity"], message);
    assert_eq!(found(check(), json!({"a": ""}))["@entity"], message);
    assert_eq!(found(check(), json!({"b": "x"})), json!({}));
}

#[test]
fn only_one_of_wants_exactly_one() {
    let check = || Check::OnlyOneOf(vec!["a", "b"]);
    let message = json!(["exactly one of these fields must be non-empty: 'a', 'b'"]);
    assert_eq!(found(check(), json!({}))["@entity"], message);
    assert_eq!(
        found(check(), json!({"a": "x", "b": "y"}))["@entity"],
        message
    );
    assert_eq!(found(check(), json!({"a": "x"})), json!({}));
}

#[test]
fn mutually_required_wants_all_or_none() {
    let check = || Check::MutuallyRequired(vec!["a", "b"]);
    assert_eq!(
        found(check(), json!({"a": "x"}))["@entity"],
        json!(["all or none of these fields must be set: 'a', 'b'"])
    );
    assert_eq!(found(check(), json!({})), json!({}));
    assert_eq!(found(check(), json!({"a": "x", "b": "y"})), json!({}));
}

#[test]
fn mutually_exclusive_wants_at_most_one() {
    let check = || Check::MutuallyExclusive(vec!["a", "b"]);
    assert_eq!(
        found(check(), json!({"a": "x", "b": "y"}))["@entity"],
        json!(["only one or none of these fields must be set: 'a', 'b'"])
    );
    assert_eq!(found(check(), json!({"b": "y"})), json!({}));
}

#[test]
fn distinct_compares_what_is_set() {
    let check = || Check::Distinct(vec!["a", "b"]);
    assert_eq!(
        found(check(), json!({"a": "x", "b": "x"}))["@entity"],
        json!(["values of these fields must be distinct: 'a', 'b'"])
    );
    assert_eq!(found(check(), json!({"a": "x", "b": "y"})), json!({}));
    assert_eq!(found(check(), json!({})), json!({}));
}

#[test]
fn a_conditional_check_names_the_guard_and_the_guarded() {
    let check = || {
        let then = Condition::required();
        Check::conditional("a", Condition::one_of(["x"]), "b", then)
    };
    assert_eq!(
        found(check(), json!({"a": "x"})),
        json!({
            "@entity": ["failed conditional validation given value of field 'a'"],
            "b": "required field missing",
        })
    );
    assert_eq!(found(check(), json!({"a": "y"})), json!({}));
    let named = check().with_err("b goes with x");
    assert_eq!(
        found(named, json!({"a": "x"}))["@entity"],
        json!(["b goes with x"])
    );
}

#[test]
fn a_guarded_member_is_judged_by_its_own_rules_as_well() {
    let schema = Schema::new("things")
        .field(Field::string("a"))
        .field(Field::string("b").starts_with("/"))
        .check(Check::conditional(
            "a",
            Condition::one_of(["x"]),
            "b",
            Condition::required(),
        ));
    assert_eq!(
        outcome(&schema, json!({"a": "x", "b": "y"})).fields(),
        json!({
            "@entity": ["failed conditional validation given value of field 'a'"],
            "b": "should start with: /",
        })
    );
}

#[test]
fn a_value_where_null_is_wanted_is_told_so() {
    let check = Check::conditional(
        "a",
        Condition::one_of(["x"]),
        "n",
        Condition::eq(Value::Null),
    );
    let fields = found(check, json!({"a": "x", "n": 5}));
    assert_eq!(fields["n"], json!("value must be null"));
}

#[test]
fn a_guard_that_is_missing_or_wrong_does_not_guard() {
    let schema = |required| {
        let guard = Field::string("a").one_of(["x", "y"]);
        Schema::new("things")
            .field(if required { guard.required() } else { guard })
            .field(Field::string("b"))
            .check(Check::conditional(
                "a",
                Condition::one_of(["x"]),
                "b",
                Condition::required(),
            ))
    };
    let fields = outcome(&schema(true), json!({})).fields();
    assert_eq!(fields, json!({"a": "field required for entity check"}));
    let fields = outcome(&schema(true), json!({"a": "z"})).fields();
    assert_eq!(fields, json!({"a": "expected one of: x, y"}));
    assert!(outcome(&schema(false), json!({})).is_empty());
}

#[test]
fn elements_of_a_list_can_guard() {
    let schema = Schema::new("things")
        .field(Field::set("protocols", Field::string("")))
        .field(Field::set("snis", Field::string("")))
        .check(
            Check::conditional(
                "protocols",
                Condition::elements(Rule::NotOneOf(vec![json!("https")])),
                "snis",
                Condition::rule(Rule::LenEq(0)),
            )
            .with_err("snis need https"),
        );
    let fields = outcome(&schema, json!({"protocols": ["http"], "snis": ["a"]})).fields();
    assert_eq!(
        fields,
        json!({"@entity": ["snis need https"], "snis": "length must be 0"})
    );
    assert!(
        outcome(
            &schema,
            json!({"protocols": ["http", "https"], "snis": ["a"]})
        )
        .is_empty()
    );
}

#[test]
fn a_conditional_choice_has_two_branches() {
    let check = || Check::ConditionalAtLeastOneOf {
        if_field: "a",
        if_match: Condition::one_of(["x"]),
        then_any: vec!["b"],
        then_err: Some("must set %s for x"),
        else_any: vec!["n"],
        else_err: None,
    };
    assert_eq!(
        found(check(), json!({"a": "x"}))["@entity"],
        json!(["must set 'b' for x"])
    );
    assert_eq!(
        found(check(), json!({"a": "y"}))["@entity"],
        json!(["at least one of these fields must be non-empty: 'n'"])
    );
    assert_eq!(found(check(), json!({"a": "x", "b": "z"})), json!({}));
}

fn custom(run_with_missing_fields: bool, run_with_invalid_fields: bool) -> Check {
    Check::Custom(CustomCheck {
        name: "always wrong",
        fields: &["a"],
        published: &[],
        run_with_missing_fields,
        run_with_invalid_fields,
        run: |_| {
            let mut failure = Failure::entity("wrong");
            failure.fields.push(("b".to_owned(), "bad".to_owned()));
            Err(failure)
        },
    })
}

#[test]
fn checks_in_code_wait_for_valid_members() {
    assert_eq!(
        found(custom(false, false), json!({"a": "x"})),
        json!({"@entity": ["wrong"], "b": "bad"})
    );
    assert_eq!(
        found(custom(false, false), json!({"a": 5})),
        json!({"a": "expected a string"})
    );
    assert_eq!(
        found(custom(false, true), json!({"a": 5}))["@entity"],
        json!(["wrong"])
    );
}

#[test]
fn messages_about_the_entity_come_in_the_order_of_the_checks() {
    let schema = Schema::new("things")
        .fields([Field::string("a"), Field::string("b")])
        .check(Check::OnlyOneOf(vec!["a", "b"]))
        .check(Check::AtLeastOneOf(vec!["a", "b"]));
    let violations = outcome(&schema, json!({}));
    assert_eq!(violations.entity().len(), 2);
    assert!(violations.entity()[0].starts_with("exactly one"));
}

#[test]
fn checks_that_count_wait_for_valid_members_but_at_least_one_does_not() {
    let fields = found(
        Check::MutuallyExclusive(vec!["a", "b"]),
        json!({"a": 5, "b": "x"}),
    );
    assert_eq!(fields, json!({"a": "expected a string"}));
    let fields = found(Check::MutuallyRequired(vec!["a", "b"]), json!({"a": 5}));
    assert_eq!(fields, json!({"a": "expected a string"}));
    let fields = found(Check::AtLeastOneOf(vec!["a"]), json!({"a": ""}));
    assert_eq!(fields["@entity"].as_array().map(Vec::len), Some(1));
}
