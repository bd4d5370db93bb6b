//! Declarative files over HTTP.

use super::*;

const GOOD: &str = "_format_version: \"3.0\"
services:
- name: orders
  url: http://orders.internal:8080
  routes:
  - name: orders
    paths: [/orders]
  plugins:
  - name: correlation-id
consumers:
- username: ann
  keyauth_credentials:
  - key: secret-1
";

async fn import(fixture: &Fixture, text: &str) -> Answer {
    fixture
        .raw("POST", &fixture.plane("/declarative"), "text/yaml", text)
        .await
}

#[tokio::test]
async fn a_file_becomes_the_whole_configuration() {
    let fixture = Fixture::start().await;
    let old = json!({"name": "old", "host": "old.test"});
    fixture.create(&fixture.entity("services"), old).await;

    let answer = import(&fixture, GOOD).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(keys(&body), ["version", "changed", "entities"]);
    assert_eq!(body["entities"]["services"], 1);
    assert_eq!(body["entities"]["keyauth_credentials"], 1);
    assert_eq!(
        fixture.get(&fixture.entity("services/old")).await.status,
        404
    );
    let route = fixture
        .get(&fixture.entity("services/orders/routes/orders"))
        .await;
    assert_eq!(route.json()["paths"], json!(["/orders"]));
    let again = import(&fixture, GOOD).await.json();
    let outcome = (again["changed"].as_u64(), &again["version"]);
    assert_eq!(outcome, (Some(0), &body["version"]), "nothing differs");
}

#[tokio::test]
async fn every_problem_is_told_with_path_and_line_and_nothing_is_changed() {
    let fixture = Fixture::start().await;
    assert_eq!(import(&fixture, GOOD).await.status, 200);
    let wrong = GOOD
        .replace("[/orders]", "[orders]")
        .replace("username: ann", "colour: red");

    let answer = import(&fixture, &wrong).await;

    assert_eq!(answer.status, 400);
    let body = answer.json();
    let problems = body["problems"].as_array().unwrap();
    let find = |text: &str| {
        let is_it = |problem: &&Value| problem["path"].as_str().unwrap().contains(text);
        problems
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{text} in {body}"))
    };
    assert_eq!(find("paths")["line"], 7, "{body}");
    assert_eq!(find("colour")["line"], 11, "{body}");
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains(&problems.len().to_string())
    );
    assert_eq!(
        fixture.get(&fixture.entity("services/orders")).await.status,
        200
    );
}

#[tokio::test]
async fn what_is_no_document_names_its_line() {
    let fixture = Fixture::start().await;
    for text in ["services: [", "", "a: b: c", "\u{0}", "[1, 2]"] {
        let answer = import(&fixture, text).await;
        assert_eq!(answer.status, 400, "{text:?}: {}", answer.text());
        let problems = answer.json()["problems"].clone();
        assert!(
            problems.as_array().is_some_and(|list| !list.is_empty()),
            "{text:?}"
        );
    }
}
