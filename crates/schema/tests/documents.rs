//! What is published of a description.

use gatehouse_schema::{Check, Condition, Field, Pattern, Schema, Shorthand, validators};
use serde_json::{Value, json};

fn schema() -> Schema {
    let redis = Schema::record([Field::host("host"), Field::port("port").default(6379)]);
    Schema::new("things")
        .field(Field::id())
        .field(
            Field::string("name")
                .unique()
                .utf8_name()
                .describe("What people call it."),
        )
        .field(Field::integer("retries").default(5).between(0, 10))
        .field(Field::number("rate").gt(0))
        .field(Field::set(
            "methods",
            Field::string("").matches(Pattern::new("^%u+$", "^[A-Z]+$")),
        ))
        .field(Field::record("redis", redis).required())
        .field(Field::foreign("service", "services").on_delete("cascade"))
        .field(Field::string("password").encrypted().len_min(0))
        .field(Field::string("key").sealed().custom("tag", validators::tag))
        .shorthand(Shorthand::replaced(
            Field::string("redis_host"),
            "redis.host",
        ))
        .check(Check::AtLeastOneOf(vec!["name", "rate"]))
        .check(Check::conditional(
            "name",
            Condition::eq("x"),
            "rate",
            Condition::required(),
        ))
}

#[test]
fn the_admin_form_lists_fields_as_the_reference_does() {
    let form = schema().admin_form();
    let field = |name: &str| {
        form["fields"]
            .as_array()
            .and_then(|list| list.iter().find_map(|field| field.get(name)))
            .cloned()
            .unwrap_or(Value::Null)
    };
    assert_eq!(
        field("id"),
        json!({
            "type": "string", "auto": true, "uuid": true,
            "description": "UUID; made up when it is left out.",
        })
    );
    assert_eq!(
        field("retries"),
        json!({"type": "integer", "default": 5, "between": [0, 10]})
    );
    assert_eq!(field("rate"), json!({"type": "number", "gt": 0}));
    assert_eq!(
        field("methods")["elements"],
        json!({"type": "string", "match": "^%u+$"})
    );
    assert!(field("redis").get("default").is_none());
    assert_eq!(
        field("redis")["fields"][1]["port"]["between"],
        json!([0, 65535])
    );
    assert_eq!(
        field("service"),
        json!({"type": "foreign", "reference": "services", "on_delete": "cascade"})
    );
    assert_eq!(
        field("password"),
        json!({"type": "string", "encrypted": true, "len_min": 0})
    );
    assert_eq!(field("key"), json!({"type": "string"}));
    assert_eq!(
        form["entity_checks"],
        json!([
            {"at_least_one_of": ["name", "rate"]},
            {"conditional": {
                "if_field": "name", "if_match": {"eq": "x"},
                "then_field": "rate", "then_match": {"required": true},
            }},
        ])
    );
}

#[test]
fn a_record_can_publish_the_defaults_of_its_members() {
    let inner = Schema::record([Field::port("port").default(80), Field::host("host")]);
    let schema = Schema::new("things").field(
        Field::record("server", inner)
            .required()
            .with_members_default(),
    );
    let form = schema.admin_form();
    assert_eq!(form["fields"][0]["server"]["default"], json!({"port": 80}));
}

#[test]
fn old_names_are_published_with_what_replaces_them() {
    let form = schema().config_form();
    let alias = &form["shorthand_fields"][0]["redis_host"];
    assert_eq!(alias["type"], json!("string"));
    assert_eq!(
        alias["deprecation"],
        json!({
            "message": "things: config.redis_host is deprecated, please use config.redis.host \
                        instead",
            "removal_in_version": "4.0",
            "replaced_with": [{"path": ["redis", "host"]}],
        })
    );
}

#[test]
fn the_json_schema_says_what_may_be_sent() {
    let document = schema().json_schema();
    assert_eq!(document["type"], json!("object"));
    assert_eq!(document["additionalProperties"], json!(false));
    let members = &document["properties"];
    assert_eq!(members["retries"]["maximum"], json!(10));
    assert_eq!(members["retries"]["type"], json!(["integer", "null"]));
    assert_eq!(
        members["name"]["description"],
        json!("What people call it.")
    );
    assert_eq!(members["methods"]["items"]["pattern"], json!("^[A-Z]+$"));
    assert_eq!(members["redis"]["type"], json!("object"));
    assert_eq!(members["redis_host"]["deprecated"], json!(true));
}
