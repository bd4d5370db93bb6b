//! The history of a control plane over HTTP.

use super::*;

async fn get(fixture: &Fixture, rest: &str) -> Answer {
    fixture
        .get(&fixture.plane(&format!("/revisions{rest}")))
        .await
}

async fn rollback(fixture: &Fixture, rest: &str) -> Answer {
    let path = fixture.plane(&format!("/revisions{rest}"));
    fixture.send("POST", &path, &json!({})).await
}

/// Three revisions: a service, its port changed, a consumer with a key.
async fn start() -> Fixture {
    let fixture = Fixture::start().await;
    let service = json!({"name": "s", "host": "h.test", "port": 80});
    let made = fixture
        .create(&fixture.entity("services"), service.clone())
        .await;
    let path = fixture.entity(&format!("services/{}", made["id"].as_str().unwrap()));
    let mut changed = service;
    changed["port"] = json!(81);
    assert_eq!(fixture.send("PUT", &path, &changed).await.status, 200);
    let file = "_format_version: \"3.0\"\nconsumers:\n- username: ann\n  keyauth_credentials:\n  - key: very-secret\n";
    let answer = fixture
        .raw("POST", &fixture.plane("/declarative"), "text/yaml", file)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    fixture
}

#[tokio::test]
async fn the_history_tells_who_changed_what_newest_first() {
    let fixture = start().await;
    let list = get(&fixture, "").await.json();
    assert_eq!((&list["current"], &list["oldest"]), (&json!(3), &json!(0)));
    let numbers: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["number"].clone())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    let newest = &list["data"][0];
    assert_eq!(
        (&newest["note"], &newest["changed"]),
        (&json!("import"), &json!(3))
    );
    assert_eq!(newest["actor"]["type"], "user");
    assert!(newest["created_at"].as_str().unwrap().ends_with('Z'));

    let first = get(&fixture, "?size=2").await.json();
    assert_eq!(first["next_before"], 2);
    let second = get(&fixture, "?size=2&before=2").await.json();
    assert_eq!(second["data"][0]["number"], 1);
    assert_eq!(second["next_before"], Value::Null);
    assert_eq!(get(&fixture, "/2").await.json(), list["data"][1]);
    assert_eq!(get(&fixture, "/0").await.json()["changed"], 0);
}

#[tokio::test]
async fn a_revision_reads_as_a_document_and_is_compared_without_secrets() {
    let fixture = start().await;
    let text = get(&fixture, "/2/configuration?format=yaml").await.text();
    assert!(text.contains("port: 81") && !text.contains("ann"), "{text}");
    let empty = get(&fixture, "/0/configuration").await.json();
    assert_eq!(empty, json!({"_format_version": "3.0"}));

    let diff = get(&fixture, "/2/diff").await.json();
    assert_eq!((&diff["from"], &diff["to"]), (&json!(1), &json!(2)));
    assert_eq!(
        diff["changes"][0]["differences"],
        json!([{"path": "port", "before": 80, "after": 81}])
    );
    let all = get(&fixture, "/3/diff?against=0").await;
    assert_eq!(
        all.json()["summary"],
        json!({"create": 2, "update": 0, "delete": 0})
    );
    let last = get(&fixture, "/3/diff").await;
    assert_eq!(
        last.json()["summary"],
        json!({"create": 2, "update": 0, "delete": 1})
    );
    assert!(!last.text().contains("very-secret"), "{}", last.text());
    let same = get(&fixture, "/2/diff?against=2").await.json();
    assert_eq!(same["changes"], json!([]));
}

#[tokio::test]
async fn going_back_makes_a_new_revision() {
    let fixture = start().await;
    let answer = rollback(&fixture, "/1/rollback?base_version=3").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["revision"], 4);
    let service = fixture.get(&fixture.entity("services/s")).await.json();
    assert_eq!(service["port"], 80);
    assert_eq!(
        fixture.get(&fixture.entity("consumers/ann")).await.status,
        404
    );
    let list = get(&fixture, "").await.json();
    assert_eq!(list["data"][0]["note"], "rolled back to revision 1");
    assert_eq!(
        get(&fixture, "/4/diff?against=1").await.json()["changes"],
        json!([])
    );

    let again = rollback(&fixture, "/3/rollback").await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(
        fixture.get(&fixture.entity("consumers/ann")).await.status,
        200
    );
    let same = rollback(&fixture, "/3/rollback").await.json();
    assert_eq!(
        (&same["changed"], &same["revision"]),
        (&json!(0), &json!(5))
    );
}

#[tokio::test]
async fn wrong_revisions_and_parameters_are_told() {
    let fixture = start().await;
    for (rest, status, part) in [
        ("/9", 404, "the newest is 3"),
        ("/x", 404, "no revision number"),
        ("/-1/diff", 404, "no revision number"),
        (
            "/99999999999999999999999/configuration",
            404,
            "no revision number",
        ),
        ("/3/diff?against=7", 404, "the newest is 3"),
        ("/3/diff?against=x", 400, "whole number"),
        ("?size=0", 400, "size"),
        ("?size=100000", 400, "size"),
        ("?colour=red", 400, "colour"),
        ("/3/configuration?format=xml", 400, "xml"),
    ] {
        let answer = get(&fixture, rest).await;
        assert_eq!(answer.status, status, "{rest}: {}", answer.text());
        assert!(answer.text().contains(part), "{part} in {}", answer.text());
    }
    let moved = rollback(&fixture, "/1/rollback?base_version=2").await;
    assert_eq!(moved.status, 409, "{}", moved.text());
    assert_eq!(rollback(&fixture, "/8/rollback").await.status, 404);
    assert_eq!(get(&fixture, "").await.json()["current"], 3);
}

#[tokio::test]
async fn groups_are_not_rolled_back() {
    let fixture = Fixture::start().await;
    let group = json!({"name": "group", "cluster_type": "CLUSTER_TYPE_CONTROL_PLANE_GROUP"});
    let group = fixture.create("/v2/control-planes", group).await;
    let at = |rest: &str| format!("/v2/control-planes/{}{rest}", group["id"].as_str().unwrap());
    let answer = fixture
        .send("POST", &at("/revisions/0/rollback"), &json!({}))
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    let file = "_format_version: \"3.0\"\n";
    let answer = fixture
        .raw("POST", &at("/declarative-configuration"), "text/yaml", file)
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}
