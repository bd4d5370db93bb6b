//! Facts about fields that are going away and about defaults of lists.

use gatehouse_schema::{Field, Mode, Schema};
use serde_json::{Map, json};

#[test]
fn a_field_that_is_going_away_says_so_with_its_old_default() {
    let schema = Schema::new("things").fields([
        Field::integer("size").going_from("size goes", 10),
        Field::string("name").going("name goes"),
    ]);
    let form = schema.config_form();
    assert_eq!(
        form["fields"][0]["size"]["deprecation"],
        json!({"message": "size goes", "removal_in_version": "4.0", "old_default": 10})
    );
    assert_eq!(
        form["fields"][1]["name"]["deprecation"],
        json!({"message": "name goes", "removal_in_version": "4.0"})
    );
}

#[test]
fn records_in_a_default_list_are_completed() {
    let element = Schema::record([Field::string("name"), Field::number("rate")]);
    let list = Field::array("list", Field::record("", element)).default(json!([{"name": "a"}]));
    let schema = Schema::new("things").field(list);
    let mut body = Map::new();
    schema.process(&mut body, Mode::Insert).unwrap();
    assert_eq!(body["list"], json!([{"name": "a", "rate": null}]));
}
