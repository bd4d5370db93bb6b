//! Exact bodies of errors in the gateway's dialect.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture, certificate, coded};

const ID: &str = "0195d6a4-0000-4000-8000-00000000abcd";

async fn start() -> Fixture {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let service = json!({"id": ID, "name": "orders", "host": "h"});
    fixture.create("services", service).await;
    fixture
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn errors_carry_code_name_message_and_fields() {
    let fixture = start().await;
    let unique = coded(
        5,
        "unique constraint violation",
        r#"UNIQUE violation detected on '{name="orders"}'"#,
        json!({"name": "orders"}),
    );
    let cases: [(&str, &str, Value, u16, Value); 9] = [
        (
            "POST",
            "services",
            json!({"name": "a b", "port": 70000}),
            400,
            coded(
                2,
                "schema violation",
                "3 schema violations (host: required field missing; name: invalid value 'a b': the \
                 only accepted ascii characters are alphanumerics or ., -, _, and ~; port: value \
                 should be between 0 and 65535)",
                json!({
                    "host": "required field missing",
                    "name": "invalid value 'a b': the only accepted ascii characters are \
                             alphanumerics or ., -, _, and ~",
                    "port": "value should be between 0 and 65535",
                }),
            ),
        ),
        (
            "POST",
            "services",
            json!({"name": "orders", "host": "h"}),
            409,
            unique,
        ),
        (
            "POST",
            "services",
            json!({"id": ID, "host": "h"}),
            400,
            coded(
                3,
                "primary key violation",
                &format!("primary key violation on key '{{id=\"{ID}\"}}'"),
                json!({"id": ID}),
            ),
        ),
        (
            "POST",
            "routes",
            json!({"paths": ["/"], "service": {"id": "4a0c2d5e-0000-4000-8000-000000000000"}}),
            400,
            coded(
                4,
                "foreign key violation",
                "the foreign key '{id=\"4a0c2d5e-0000-4000-8000-000000000000\"}' does not reference \
                 an existing 'services' entity.",
                json!({"service": {"id": "4a0c2d5e-0000-4000-8000-000000000000"}}),
            ),
        ),
        (
            "POST",
            "plugins",
            json!({"name": "cors", "service": {"name": "x"}, "consumer": {"username": "y"}}),
            400,
            coded(
                13,
                "foreign keys unresolved",
                "2 foreign keys unresolved (consumer.username: the foreign key cannot be resolved \
                 with '{username=\"y\"}' for an existing 'consumers' entity; service.name: the \
                 foreign key cannot be resolved with '{name=\"x\"}' for an existing 'services' \
                 entity)",
                json!({
                    "consumer": {"username": "the foreign key cannot be resolved with \
                        '{username=\"y\"}' for an existing 'consumers' entity"},
                    "service": {"name": "the foreign key cannot be resolved with '{name=\"x\"}' \
                        for an existing 'services' entity"},
                }),
            ),
        ),
        (
            "PATCH",
            "services/nope",
            json!({"port": 1}),
            404,
            coded(
                6,
                "not found",
                "could not find the entity with '{name=\"nope\"}'",
                json!({"name": "nope"}),
            ),
        ),
        (
            "PATCH",
            "acls/4a0c2d5e-0000-4000-8000-000000000000",
            json!({"group": "g"}),
            404,
            coded(
                6,
                "not found",
                "could not find the entity with primary key \
                 '{id=\"4a0c2d5e-0000-4000-8000-000000000000\"}'",
                json!({"id": "4a0c2d5e-0000-4000-8000-000000000000"}),
            ),
        ),
        (
            "PATCH",
            "acls/staff",
            json!({"group": "g"}),
            400,
            coded(
                1,
                "invalid primary key",
                "invalid primary key: '{id=\"expected a valid UUID\"}'",
                json!({"id": "expected a valid UUID"}),
            ),
        ),
        (
            "POST",
            "consumers",
            json!({}),
            400,
            coded(
                2,
                "schema violation",
                "schema violation (at least one of these fields must be non-empty: 'custom_id', \
                 'username')",
                json!({"@entity": ["at least one of these fields must be non-empty: \
                    'custom_id', 'username'"]}),
            ),
        ),
    ];
    for (method, path, body, status, expected) in cases {
        let answer = fixture.send(method, path, &body).await;
        assert_eq!(
            answer.status,
            status,
            "{method} {path} {body}: {}",
            answer.text()
        );
        assert_eq!(answer.json(), expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn an_entity_in_use_stays_and_says_by_whom() {
    let fixture = start().await;
    let route = json!({"paths": ["/"], "service": {"name": "orders"}});
    fixture.create("routes", route).await;

    let refused = fixture.bare("DELETE", "services/orders").await;

    assert_eq!(refused.status, 400);
    let expected = coded(
        4,
        "foreign key violation",
        "an existing 'routes' entity references this 'services' entity",
        json!({"@referenced_by": "routes"}),
    );
    assert_eq!(refused.json(), expected);
    assert_eq!(fixture.get("services/orders").await.status, 200);
}

#[tokio::test]
async fn a_plugin_clashes_with_the_parts_of_its_key() {
    let fixture = start().await;
    fixture.create("plugins", json!({"name": "key-auth"})).await;

    let second = fixture
        .send("POST", "plugins", &json!({"name": "key-auth"}))
        .await;

    let body = second.json();
    assert_eq!((second.status, &body["code"]), (409, &json!(5)));
    assert_eq!(body["fields"]["name"], "key-auth");
    assert_eq!(body["fields"]["service"], Value::Null);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with("UNIQUE violation detected on '{consumer=null,"),
        "{message}"
    );
}

#[tokio::test]
async fn another_key_that_nothing_could_have_is_refused_before_it_is_looked_for() {
    let fixture = start().await;
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let answer = fixture
            .send(method, "services/a%20b", &json!({"host": "h"}))
            .await;
        let expected = json!({
            "code": 10,
            "name": "invalid unique name",
            "message": "invalid value 'a b': the only accepted ascii characters are alphanumerics \
                        or ., -, _, and ~",
        });
        assert_eq!((answer.status, answer.json()), (400, expected), "{method}");
    }
}

#[tokio::test]
async fn missing_things_are_only_not_found() {
    let fixture = start().await;
    let missing = json!({"message": "Not found"});
    for path in [
        "services/nope",
        "services/nope/routes",
        "services/orders/routes/nope",
        "nope",
        "routes/nope/service",
        "services/orders/nope",
        "snis/x/certificate",
        "targets",
        "upstreams/nope/targets",
    ] {
        let answer = fixture.get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (404, missing.clone()),
            "{path}"
        );
    }
    let sni = fixture.get("certificates/a.test").await;
    assert_eq!(
        (sni.status, sni.json()),
        (404, json!({"message": "SNI not found"}))
    );
}

#[tokio::test]
async fn removing_what_is_not_there_is_no_fault_at_the_top() {
    let fixture = start().await;
    assert_eq!(fixture.bare("DELETE", "services/nope").await.status, 204);
    assert_eq!(
        fixture
            .bare("DELETE", "services/orders/routes/nope")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_server_name_belongs_to_one_certificate() {
    let fixture = start().await;
    let mut body = certificate();
    body["snis"] = json!(["b.test", "a.test"]);
    let first = fixture.create("certificates", body.clone()).await;
    assert_eq!(first["snis"], json!(["a.test", "b.test"]));

    let second = fixture.send("POST", "certificates", &body).await;

    let text = format!(
        "a.test already associated with existing certificate '{}'",
        first["id"].as_str().unwrap()
    );
    let expected = coded(
        2,
        "schema violation",
        &format!("schema violation (snis: {text})"),
        json!({"snis": text}),
    );
    assert_eq!((second.status, second.json()), (400, expected));
    body["snis"] = json!(["c.test", "c.test"]);
    let twice = fixture.send("POST", "certificates", &body).await;
    assert_eq!(
        twice.json()["fields"],
        json!({"snis": "c.test is duplicated"})
    );
    body["snis"] = json!(["c d"]);
    let bad = fixture.send("POST", "certificates", &body).await.json();
    assert_eq!(
        (&bad["code"], &bad["message"]),
        (&json!(10), &json!("invalid value: c d"))
    );
    let listed = fixture.get("snis").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}
