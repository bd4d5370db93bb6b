//! Headers, methods and pages around the API.

use serde_json::json;

use super::fixture::{Dialect, Fixture};

#[tokio::test]
async fn every_answer_carries_the_common_headers() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for (method, path) in [
        ("GET", "services"),
        ("GET", "nope"),
        ("DELETE", "services"),
        ("OPTIONS", "services"),
    ] {
        let answer = fixture.bare(method, path).await;
        let server = answer.header("server").unwrap();
        assert!(server.starts_with("gatehouse/"), "{server}");
        let latency = answer.header("x-kong-admin-latency").unwrap();
        assert!(latency.parse::<u64>().is_ok(), "{latency}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
    }
    let answer = fixture
        .raw("GET", "services", &[("origin", "http://a.test")], "")
        .await;
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://a.test"));
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn options_say_what_a_path_can() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let item = "DELETE, GET, HEAD, OPTIONS, PATCH, PUT";
    for (path, methods) in [
        ("services", "GET, HEAD, OPTIONS, POST"),
        ("services/x", item),
        ("services/nope/routes", "GET, HEAD, OPTIONS, POST"),
        ("routes/x/service", item),
        ("schemas/services", "GET, HEAD, OPTIONS"),
        ("schemas/services/validate", "OPTIONS, POST"),
        ("tags/x", item),
    ] {
        let answer = fixture.bare("OPTIONS", path).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("allow"), Some(methods), "{path}");
        let allowed = answer.header("access-control-allow-methods");
        assert_eq!(allowed, Some(methods), "{path}");
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, Some("Content-Type"), "{path}");
    }
    let asked = [("access-control-request-headers", "x-a, x-b")];
    let answer = fixture.raw("OPTIONS", "services", &asked, "").await;
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("x-a, x-b")
    );
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    fixture
        .create("services", json!({"name": "s", "host": "h"}))
        .await;
    for (path, status) in [("services", 200), ("services/s", 200), ("services/x", 404)] {
        let answer = fixture.bare("HEAD", path).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{path}");
    }
}

#[tokio::test]
async fn methods_that_a_path_does_not_know_are_refused() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let refused = json!({"message": "Method not allowed"});
    for (method, path) in [
        ("PUT", "services"),
        ("PATCH", "services"),
        ("DELETE", "services"),
        ("FOO", "services"),
        ("POST", "services/x"),
        ("POST", "routes/x/service"),
        ("GET", "schemas/services/validate"),
        ("POST", "schemas/services"),
        ("DELETE", "tags/x"),
    ] {
        let answer = fixture.bare(method, path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (405, refused.clone()),
            "{method} {path}"
        );
    }
    let trace = fixture.bare("TRACE", "services").await;
    assert_eq!((trace.status, trace.header("server")), (405, None));
    assert!(trace.text().contains("405 Not Allowed"));
}

#[tokio::test]
async fn a_slash_at_the_end_is_read_over_and_others_are_not() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    fixture
        .create("consumers", json!({"username": "a/b"}))
        .await;
    assert_eq!(fixture.get("consumers/").await.status, 200);
    assert_eq!(fixture.get("consumers/a%2Fb/").await.status, 200);
    assert_eq!(fixture.get("consumers/a/b").await.status, 404);
    assert_eq!(fixture.get("/consumers").await.status, 404);
    assert_eq!(fixture.get("consumers//").await.status, 404);
}

#[tokio::test]
async fn a_fact_that_is_not_available_is_said_so() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    assert_eq!(fixture.get("").await.json()["tagline"], "hello");
    assert_eq!(fixture.get("status").await.status, 503);
}
