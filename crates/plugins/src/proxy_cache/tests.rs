//! Facts about `proxy-cache`.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{Handler, Reply, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use super::control::Control;
use super::media::Media;
use super::store::{ENTRY_MAX, Entry, Store};
use crate::testing::{ALICE, Bench, NOW_MS, Request, violations};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json"), ("Connection", "x")];

fn handler(bench: &mut Bench, more: &Value) -> Arc<dyn Handler> {
    let mut config = json!({"strategy": "memory"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    bench.handler(&DEFINITION, config)
}

fn header(reply: &Reply, name: &str) -> Option<String> {
    let (_, value) = reply
        .headers
        .iter()
        .find(|(key, _)| key.as_ref() == name.as_bytes())?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

/// Asks; on a miss the service answers. Gives the status of the cache and the body.
fn ask(
    bench: &Bench,
    handler: &Arc<dyn Handler>,
    mut request: Request,
    answer: (u16, &[(&str, &str)], &str),
) -> (String, String) {
    if let Some(reply) = request.access(bench, &**handler) {
        let ReplyBody::Raw(body) = &reply.body else {
            return (reply.status.to_string(), String::new());
        };
        assert_eq!(header(&reply, "Connection"), None);
        let body = String::from_utf8(body.to_vec()).unwrap();
        return (header(&reply, "X-Cache-Status").unwrap(), body);
    }
    let (status, headers, body) = answer;
    let filtered = request.filter_head(bench, &**handler, status, headers);
    let sent = request.body_filter(bench, &**handler, &[body, ""]).concat();
    let found = filtered
        .headers
        .iter()
        .find_map(|line| line.strip_prefix("X-Cache-Status: "));
    (found.unwrap_or_default().to_owned(), sent)
}

fn status(bench: &Bench, handler: &Arc<dyn Handler>, request: Request) -> String {
    ask(bench, handler, request, (200, JSON, "body")).0
}

#[test]
fn an_answer_is_given_again() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let first = ask(&bench, &handler, Request::get("/a"), (200, JSON, "one"));
    assert_eq!(first, ("Miss".to_owned(), "one".to_owned()));
    let again = ask(&bench, &handler, Request::get("/a"), (200, JSON, "two"));
    assert_eq!(again, ("Hit".to_owned(), "one".to_owned()));
    let later = Request::get("/a").at(NOW_MS + 300_000);
    let refreshed = ask(&bench, &handler, later, (200, JSON, "three"));
    assert_eq!(refreshed, ("Miss".to_owned(), "three".to_owned()));
}

#[test]
fn a_hit_tells_its_age_and_key() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    status(&bench, &handler, Request::get("/a"));
    let mut later = Request::get("/a").at(NOW_MS + 5000);
    let reply = later.access(&bench, &*handler).unwrap();
    assert_eq!(header(&reply, "age").as_deref(), Some("5"));
    assert_eq!(header(&reply, "X-Cache-Key").unwrap().len(), 64);
    assert_eq!(
        header(&reply, "Content-Type").as_deref(),
        Some("application/json")
    );
}

#[test]
fn requests_are_told_apart_by_method_path_query_and_caller() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let seen = |request: Request| status(&bench, &handler, request);
    assert_eq!(seen(Request::get("/a?x=1&y=2")), "Miss");
    assert_eq!(seen(Request::get("/a?y=2&x=1")), "Hit");
    assert_eq!(seen(Request::get("/a?x=2")), "Miss");
    assert_eq!(seen(Request::get("/A?x=1&y=2")), "Miss");
    assert_eq!(seen(Request::new("HEAD", "/a?x=1&y=2", &[])), "Miss");
    assert_eq!(
        seen(Request::get("/a?x=1&y=2").known_as(&bench, ALICE)),
        "Miss"
    );
    assert_eq!(seen(Request::new("POST", "/a?x=1&y=2", &[])), "Bypass");
}

#[test]
fn what_tells_requests_apart_can_be_chosen() {
    let mut bench = Bench::new();
    let config = json!({
        "vary_query_params": ["x"], "vary_headers": ["Accept-Language"], "ignore_uri_case": true,
    });
    let handler = handler(&mut bench, &config);
    let seen = |target: &str, language: &str| {
        status(
            &bench,
            &handler,
            Request::new("GET", target, &[("Accept-Language", language)]),
        )
    };
    assert_eq!(seen("/a?x=1&y=2", "de"), "Miss");
    assert_eq!(seen("/A?x=1&y=3", "de"), "Hit");
    assert_eq!(seen("/a?x=1", "en"), "Miss");
}

#[test]
fn only_answers_of_the_listed_kinds_are_kept() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let seen = |target: &str, status: u16, kind: &str| {
        let headers = [("Content-Type", kind)];
        ask(
            &bench,
            &handler,
            Request::get(target),
            (status, &headers, "x"),
        )
        .0
    };
    assert_eq!(seen("/1", 500, "application/json"), "Bypass");
    assert_eq!(seen("/2", 404, "application/json"), "Miss");
    assert_eq!(seen("/3", 200, "text/html"), "Bypass");
    assert_eq!(seen("/4", 200, "application/json; charset=utf-8"), "Bypass");
    assert_eq!(seen("/5", 200, "text/plain"), "Miss");
}

#[test]
fn cache_control_decides_where_asked_for() {
    let mut bench = Bench::new();
    let handler = handler(
        &mut bench,
        &json!({"cache_control": true, "storage_ttl": 1000}),
    );
    let answer = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "max-age=100"),
    ];
    let seen = |control: &str, after: u64| {
        let request = Request::new("GET", "/a", &[("Cache-Control", control)]);
        ask(
            &bench,
            &handler,
            request.at(NOW_MS + after * 1000),
            (200, &answer, "x"),
        )
        .0
    };
    assert_eq!(seen("only-if-cached", 0), "504");
    assert_eq!(seen("no-cache", 0), "Bypass");
    assert_eq!(seen("", 0), "Miss");
    assert_eq!(seen("max-age=5", 5), "Hit");
    assert_eq!(seen("max-stale=10", 110), "Hit");
    assert_eq!(seen("min-fresh=91", 10), "Refresh");
    assert_eq!(seen("max-stale=10", 10 + 111), "Refresh");
    let private = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "private"),
    ];
    let request = Request::get("/p");
    assert_eq!(
        ask(&bench, &handler, request, (200, &private, "x")).0,
        "Bypass"
    );
    let signed = Request::new("GET", "/b", &[("Authorization", "x")]);
    assert_eq!(
        ask(&bench, &handler, signed, (200, &answer, "x")).0,
        "Bypass"
    );
}

#[test]
fn an_answer_beyond_the_limit_passes_and_is_not_kept() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let large = "x".repeat(ENTRY_MAX + 1);
    let (first, sent) = ask(&bench, &handler, Request::get("/a"), (200, JSON, &large));
    assert_eq!((first.as_str(), sent.len()), ("Miss", large.len()));
    assert_eq!(status(&bench, &handler, Request::get("/a")), "Miss");
}

#[test]
fn the_answers_kept_longest_give_way() {
    let store = Store::default();
    let body = Bytes::from(vec![0; ENTRY_MAX - 1024]);
    let keep = |key: &str| {
        let entry = Entry {
            status: 200,
            headers: Vec::new(),
            body: body.clone(),
            kept_at: 1,
            ttl: 1,
            ends_at: 2,
        };
        store.keep(key, entry);
    };
    let is_kept = |key: &str| store.find(key, 1).is_some();
    // Sixteen fit; the first is kept anew, so the second is the oldest.
    let keys: Vec<String> = (0..16).map(|number| number.to_string()).collect();
    keys.iter().for_each(|key| keep(key));
    keep("0");
    assert!(keys.iter().all(|key| is_kept(key)));
    keep("more");
    assert!(!is_kept("1"));
    assert!(is_kept("0") && is_kept("2") && is_kept("more"));
    assert!(store.find("2", 2).is_none());
}

#[test]
fn the_key_is_that_of_the_reference() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let mut request = Request::get("/c1");
    request.access(&bench, &*handler);
    let told = request.answer_headers();
    let text = "00000000-0000-0000-0000-00000000000b|GET|GET /c1 HTTP/1.1||";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hex: Vec<_> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(
        told.contains(&format!("X-Cache-Key: {}", hex.concat())),
        "{told:?}"
    );
}

#[test]
fn content_types_and_directives_are_read() {
    let media = |text| Media::parse(text).unwrap();
    assert!(media("*/*").accepts(&media("a/b")));
    assert!(media("A/*; Q=1").accepts(&media("a/b; q=1")));
    assert!(!media("*/*").accepts(&media("a/b; q=1")));
    assert_eq!(Media::parse("nonsense"), None);
    let control = Control::parse([&b"max-age=5, No-Store"[..], b"min-fresh=x"].into_iter());
    assert!(control.has(&["no-store"]) && control.has(&["min-fresh"]));
    assert_eq!(
        (control.number("max-age"), control.number("min-fresh")),
        (Some(5), None)
    );
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let config = json!({
        "strategy": "memory", "cache_ttl": 0, "memory": {"dictionary_name": "nowhere"},
    });
    let found = violations(&DEFINITION, config);
    assert_eq!(found, ["cache_ttl: value must be greater than 0"]);
    let config = json!({"strategy": "memory", "memory": {"dictionary_name": "nowhere"}});
    let found = violations(&DEFINITION, config);
    assert!(
        found[0].contains("missing shared dict 'nowhere'"),
        "{found:?}"
    );
}
