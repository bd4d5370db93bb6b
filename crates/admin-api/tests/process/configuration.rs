//! Transports of `/config`. What a document means is the business of `declarative`.

use std::sync::atomic::Ordering;

use gatehouse_admin_api::gateway::Mode;
use serde_json::json;
use test_support::Answer;

use crate::fixture::Running;

const YAML: &str = "_format_version: \"3.0\"\nservices: []\n";

async fn post(running: &Running, query: &str, kind: Option<&str>, body: &str) -> Answer {
    running
        .send("POST", &format!("/config{query}"), kind, body)
        .await
}

#[tokio::test]
async fn document_arrives_by_every_transport() {
    let running = Running::start(Mode::Declarative).await;
    let expected = json!({"_format_version": "3.0", "services": []});
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"config\"; filename=\"k.yml\"\r\n\r\n{YAML}\r\n--b--\r\n"
    );
    let quoted = json!({"config": YAML}).to_string();
    let form = "config=_format_version%3A+%223.0%22%0Aservices%3A%20%5B%5D";

    for (kind, body) in [
        ("application/json", expected.to_string().as_str()),
        ("application/json", quoted.as_str()),
        ("text/yaml", YAML),
        ("application/yaml", YAML),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=b", multipart.as_str()),
    ] {
        let answer = post(&running, "", Some(kind), body).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.text());
        let loaded = running.process.loaded.lock();
        assert_eq!(loaded.last().unwrap().0, expected, "{kind}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_document_are_refused() {
    let running = Running::start(Mode::Declarative).await;
    let invalid = |reason: &str| {
        let text = format!("failed parsing declarative configuration: {reason}");
        format!("declarative config is invalid: {{error=\"{text}\"}}")
    };
    let (json, yaml) = (Some("application/json"), Some("text/yaml"));
    let form = Some("application/x-www-form-urlencoded");
    let no_text = "config: bad argument #1 to 'parser' (must provide a string argument)";
    let nothing = "expected a declarative configuration".to_owned();
    let unreadable = "Cannot parse JSON body".to_owned();
    let nested = json!({"config": {"_format_version": "3.0"}}).to_string();
    for (kind, body, message) in [
        (None, "", nothing.clone()),
        (yaml, "", nothing),
        (json, "{", unreadable.clone()),
        (json, "", unreadable),
        (json, "5", invalid("expected an object")),
        (json, &nested, invalid(no_text)),
        (form, "x=y", invalid("expected an object")),
        (form, "config=", invalid(no_text)),
        (yaml, "just text", invalid("expected an object")),
        (
            yaml,
            "x: [",
            invalid("1:4: did not find expected node content"),
        ),
    ] {
        let answer = post(&running, "", kind, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["message"], message.as_str(), "{body}");
    }
    assert!(running.process.loaded.lock().is_empty());
}

#[tokio::test]
async fn violations_are_told_by_field_or_by_entity() {
    let running = Running::start(Mode::Declarative).await;
    let wrong = r#"{"_format_version":"3.0","services":[{"name":"s"}]}"#;
    let kind = Some("application/json");

    let nested = post(&running, "", kind, wrong).await.json();
    let flat = post(&running, "?flatten_errors=1", kind, wrong)
        .await
        .json();

    assert_eq!(nested["code"], 14);
    assert_eq!(
        nested["fields"]["services"][0]["host"],
        "required field missing"
    );
    assert!(nested.get("flattened_errors").is_none());
    assert_eq!(flat["flattened_errors"][0]["entity_name"], "s");
    assert_eq!(flat["fields"], json!({}));
}

#[tokio::test]
async fn unknown_types_get_the_page_of_the_http_core() {
    let running = Running::start(Mode::Declarative).await;
    for (kind, body) in [
        (Some("text/plain"), "x: y"),
        (None, "x: y"),
        (Some("APPLICATION/JSON"), "{}"),
    ] {
        let answer = post(&running, "", kind, body).await;
        assert_eq!(answer.status, 415);
        let html = Some("text/html; charset=UTF-8");
        assert_eq!(answer.header("content-type"), html);
        assert_eq!(answer.body.len(), 144);
    }
}

#[tokio::test]
async fn same_text_again_is_not_modified_when_the_hash_is_checked() {
    let running = Running::start(Mode::Declarative).await;
    let yaml = Some("text/yaml");

    let first = post(&running, "?check_hash=1", yaml, YAML).await;
    let again = post(&running, "?check_hash=1", yaml, YAML).await;
    let other_value = post(&running, "?check_hash=true", yaml, YAML).await;
    let unchecked = post(&running, "", yaml, YAML).await;
    let in_the_body = json!({"config": YAML, "check_hash": 1}).to_string();
    let in_the_body = post(&running, "", Some("application/json"), &in_the_body).await;

    assert_eq!((first.status, again.status), (201, 304));
    assert_eq!((other_value.status, unchecked.status), (201, 201));
    assert_eq!(in_the_body.status, 304);
    assert!(again.body.is_empty());
    assert_eq!(running.process.loaded.lock().len(), 3);
}

#[tokio::test]
async fn second_load_at_the_same_time_is_asked_to_come_again() {
    let running = Running::start(Mode::Declarative).await;
    running.process.is_busy.store(true, Ordering::Relaxed);

    let answer = post(&running, "", Some("text/yaml"), YAML).await;

    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("1"))
    );
    let text = "Currently loading previous configuration";
    assert_eq!(answer.json()["message"], text);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let running = Running::start(Mode::Declarative).await;
    let body = format!("{YAML}#{}\n", "x".repeat(5000));

    let answer = post(&running, "", Some("text/yaml"), &body).await;

    assert_eq!(answer.status, 413);
    assert!(running.process.loaded.lock().is_empty());
}

#[tokio::test]
async fn more_than_a_thousand_arguments_and_two_types_are_refused() {
    let running = Running::start(Mode::Declarative).await;
    let many = "a&".repeat(1001);
    let form = Some("application/x-www-form-urlencoded");
    let answer = post(&running, "", form, &many).await;
    assert_eq!(answer.json()["message"], "Too many arguments");
    let answer = post(&running, &format!("?{many}"), Some("text/yaml"), YAML).await;
    assert_eq!(answer.json()["message"], "Too many arguments");
    assert!(running.process.loaded.lock().is_empty());
}

#[tokio::test]
async fn export_is_yaml_in_json() {
    let running = Running::start(Mode::Declarative).await;
    let body = running.get("/config").await.json();
    assert_eq!(body, json!({"config": "_format_version: '3.0'\n"}));
}

#[tokio::test]
async fn a_process_with_a_database_has_no_whole_configuration() {
    let running = Running::start(Mode::Database).await;
    let text = "this endpoint is only available when Kong is configured to not use a database";
    let read = running.get("/config").await;
    assert_eq!((read.status, &read.json()["message"]), (400, &json!(text)));
    let kind = Some("application/json");
    let written = post(&running, "", kind, r#"{"_format_version":"3.0"}"#).await;
    assert_eq!(
        (written.status, &written.json()["message"]),
        (400, &json!(text))
    );
}
