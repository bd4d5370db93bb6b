use serde_json::json;

use super::*;

fn operation(method: &'static str, path: &str) -> Operation {
    Operation::new(method, path, "Do it")
}

#[test]
fn names_of_operations_tell_them_apart() {
    let id = |method, path| operation(method, path).id;
    assert_eq!(id("GET", "/a/{id}/b"), "list-a-b");
    assert_eq!(id("GET", "/a/{id}/b/{key}"), "get-a-b");
    assert_eq!(id("POST", "/a/{id}/b_c"), "create-a-b-c");
    assert_eq!(id("PUT", "/a/{id}"), "put-a");
    assert_eq!(id("DELETE", "/a/{id}"), "delete-a");
    assert_eq!(id("DELETE", "/a/{id}/b"), "clear-a-b");
}

#[test]
fn an_operation_says_what_it_takes_and_answers() {
    let mut create = operation("POST", "/things/{id}");
    create.body = Some(reference("thing"));
    create.answer = Some(reference("thing"));
    create.success = vec![201];
    create.query = vec![Query::number("size", (1, 9), "How many")];
    create.errors = ErrorForm::Configuration;
    let mut schemas = serde_json::Map::new();
    schemas.insert("thing".to_owned(), json!({"type": "object"}));
    let document = Document {
        title: "Things".to_owned(),
        operations: vec![create],
        schemas,
        ..Document::default()
    };

    let rendered = document.render();

    assert_eq!(rendered["openapi"], "3.1.0");
    let described = &rendered["paths"]["/things/{id}"]["post"];
    assert_eq!(described["parameters"][0]["name"], "id");
    assert_eq!(described["parameters"][1]["schema"]["maximum"], 9);
    let answers = &described["responses"];
    let statuses: Vec<_> = answers
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for status in [
        "201", "400", "401", "403", "404", "408", "413", "415", "503",
    ] {
        assert!(statuses.contains(&status), "{status} in {statuses:?}");
    }
    let error = &answers["404"]["content"]["application/json"]["schema"];
    assert_eq!(*error, reference("ConfigurationError"));
    let schemas = rendered["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("thing") && schemas.contains_key("ConfigurationError"));
    assert_eq!(
        rendered["components"]["securitySchemes"]["token"]["scheme"],
        "bearer"
    );
}

#[test]
fn what_is_open_needs_no_credential_and_has_no_status_for_one() {
    let mut open = operation("GET", "/regions");
    open.access = Access::Open;
    let document = Document {
        operations: vec![open],
        ..Document::default()
    };
    let rendered = document.render();
    let described = &rendered["paths"]["/regions"]["get"];
    assert_eq!(described["security"], json!([]));
    assert_eq!(described["responses"]["401"], json!(null));
    assert_eq!(rendered["components"]["securitySchemes"], json!({}));
}
