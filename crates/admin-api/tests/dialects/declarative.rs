//! The gateway's dialect over a configuration in memory: everything is read, nothing written.

use std::sync::Arc;

use declarative::{Document, Format, Limits, Options};
use entities::Catalogue;
use gatehouse_admin_api::Source;
use serde_json::{Value, json};

use super::fixture::Fixture;

const ID: &str = "0195d6a4-0000-4000-8000-00000000abcd";
const FILE: &str = "_format_version: \"3.0\"
services:
- name: s1
  host: a.test
  tags: [x, y]
  routes:
  - name: r1
    paths: [/a]
- name: s2
  host: b.test
  tags: [x]
upstreams:
- name: u.test
  targets:
  - target: 10.0.0.1:80
  - target: 10.0.0.2:80
consumers:
- username: ann
  keyauth_credentials:
  - key: k
";

async fn start() -> Fixture {
    let catalogue = Catalogue::new(plugins::catalogue());
    let document = Document::parse(FILE.as_bytes(), Format::Auto, Limits::default()).unwrap();
    let config = document.normalise(&catalogue, Options::default()).unwrap();
    let config = Arc::new(config);
    Fixture::of_source(Source::Declarative(Arc::new(move || config.clone()))).await
}

#[tokio::test]
async fn a_configuration_in_memory_answers_reads() {
    let fixture = start().await;
    let names = async |path: &str| -> Vec<Value> {
        let page = fixture.get(path).await.json();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| {
            row.get("name")
                .or_else(|| row.get("target"))
                .unwrap()
                .clone()
        })
        .collect()
    };
    assert_eq!(fixture.get("services/s1").await.json()["host"], "a.test");
    assert_eq!(names("services").await.len(), 2);
    assert_eq!(names("services?tags=x,y").await, ["s1"]);
    assert_eq!(names("services?tags=y/z").await, ["s1"]);
    assert_eq!(names("services/s1/routes").await, ["r1"]);
    assert_eq!(names("services/s2/routes").await, [""; 0]);
    assert_eq!(fixture.get("routes/r1/service").await.json()["name"], "s1");
    let targets = names("upstreams/u.test/targets").await;
    assert_eq!(targets, ["10.0.0.2:80", "10.0.0.1:80"]);
    let first = fixture.get("services?size=1").await.json();
    let next = first["next"]
        .as_str()
        .unwrap()
        .trim_start_matches('/')
        .to_owned();
    let second = fixture.get(&next).await.json();
    assert_ne!(first["data"][0]["id"], second["data"][0]["id"]);
    assert_eq!(second["next"], Value::Null);
    let tags = fixture.get("tags/x").await.json();
    assert_eq!(tags["data"].as_array().unwrap().len(), 2);
    let keys = fixture.get("consumers/ann/key-auth").await.json();
    assert_eq!(keys["data"][0]["key"], "k");
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn a_write_is_refused_where_it_would_reach_the_database() {
    let fixture = start().await;
    let service = json!({"host": "h"});
    for (method, path, body, text) in [
        (
            "POST",
            "services",
            service.clone(),
            "create 'services' entities",
        ),
        (
            "PUT",
            "services/s1",
            service.clone(),
            "create or update 'services' entities by 'name'",
        ),
        (
            "PUT",
            &format!("services/{ID}"),
            service.clone(),
            "create or update 'services' entities",
        ),
        (
            "PATCH",
            "services/s1",
            json!({"port": 1}),
            "update 'services' entities by 'name'",
        ),
        (
            "DELETE",
            "services/s2",
            json!({}),
            "remove 'services' entities by 'name'",
        ),
        (
            "POST",
            "services/s1/routes",
            json!({"paths": ["/"]}),
            "create 'routes' entities",
        ),
        (
            "PATCH",
            "routes/r1/service",
            json!({"port": 5}),
            "update 'services' entities",
        ),
        (
            "POST",
            "consumers/ann/key-auth",
            json!({}),
            "create 'keyauth_credentials' entities",
        ),
        (
            "DELETE",
            "consumers/ann/key-auth/k",
            json!({}),
            "remove 'keyauth_credentials' entities by 'key'",
        ),
        (
            "POST",
            "upstreams/u.test/targets",
            json!({"target": "a:1"}),
            "create 'targets' entities",
        ),
        (
            "DELETE",
            "upstreams/u.test/targets/10.0.0.1:80",
            json!({}),
            "remove 'targets' entities",
        ),
    ] {
        let answer = fixture.send(method, path, &body).await;
        let expected = json!({
            "code": 12,
            "name": "operation unsupported",
            "message": format!("cannot {text} when not using a database"),
        });
        assert_eq!(
            (answer.status, answer.json()),
            (405, expected),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn what_would_not_reach_the_database_is_answered_as_elsewhere() {
    let fixture = start().await;
    for (method, path, body, status) in [
        ("POST", "services", json!({}), 400),
        ("PATCH", "services/nope", json!({"port": 1}), 404),
        ("DELETE", "services/nope", json!({}), 204),
        ("POST", "services/nope/routes", json!({"paths": ["/"]}), 404),
        ("GET", "services/nope", json!({}), 404),
        (
            "POST",
            "schemas/services/validate",
            json!({"host": "h"}),
            200,
        ),
    ] {
        let answer = fixture.send(method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
}
