//! Facts about `response-ratelimiting`.

use std::sync::Arc;

use plugin_api::{Handler, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::redis::server::Server;
use crate::testing::{ALICE, ANON, Bench, Filtered, Request, core, outcome, violations};

/// A request whose answer says this cost.
fn ask(bench: &Bench, handler: &Arc<dyn Handler>, cost: &str, caller: u128) -> Filtered {
    let mut request = Request::get("/").known_as(bench, caller);
    assert_eq!(request.access(bench, &**handler), None);
    let filtered = request.filter_head(bench, &**handler, 200, &[("X-Kong-Limit", cost)]);
    request.log(bench, &**handler, &outcome());
    filtered
}

fn left(filtered: &Filtered, name: &str) -> String {
    let start = format!("X-RateLimit-Remaining-{name}: ");
    let found = filtered
        .headers
        .iter()
        .find_map(|line| line.strip_prefix(&start));
    found
        .unwrap_or_else(|| panic!("{name}: {filtered:?}"))
        .to_owned()
}

fn handler(bench: &mut Bench, more: &Value) -> Arc<dyn Handler> {
    let mut config = json!({"limits": {"sms": {"minute": 3, "hour": 9}, "vid": {"day": 1}}});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    bench.handler(&DEFINITION, config)
}

#[test]
fn answers_cost_what_they_say() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    let first = ask(&bench, &handler, "sms=2", ALICE);
    assert_eq!((first.status, first.drops_body), (200, false));
    assert_eq!(
        first.headers,
        [
            "X-RateLimit-Remaining-sms: 3",
            "X-RateLimit-Remaining-vid: 1",
            "X-RateLimit-Limit-sms-minute: 3",
            "X-RateLimit-Remaining-sms-minute: 1",
            "X-RateLimit-Limit-sms-hour: 9",
            "X-RateLimit-Remaining-sms-hour: 7",
            "X-RateLimit-Limit-vid-day: 1",
            "X-RateLimit-Remaining-vid-day: 1",
        ]
    );
    let second = ask(&bench, &handler, "vid=1 , sms=1", ALICE);
    assert_eq!(left(&second, "sms"), "1");
    assert_eq!(
        (left(&second, "sms-minute"), left(&second, "vid-day")),
        ("0".into(), "0".into())
    );
}

#[test]
fn costs_that_are_no_numbers_or_have_no_limit_count_nothing() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    for cost in ["sms", "sms=x", "other=5", "", "sms=-1"] {
        ask(&bench, &handler, cost, ALICE);
    }
    assert_eq!(left(&ask(&bench, &handler, "", ALICE), "sms-minute"), "3");
}

#[test]
fn beyond_a_limit_the_answer_becomes_429_without_a_body_and_counts_nothing() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    ask(&bench, &handler, "sms=3", ALICE);
    let over = ask(&bench, &handler, "sms=1, vid=1", ALICE);
    assert_eq!((over.status, over.drops_body), (429, true));
    let after = ask(&bench, &handler, "vid=1", ALICE);
    assert_eq!(
        (after.status, left(&after, "vid-day")),
        (200, "0".to_owned())
    );
}

#[test]
fn callers_are_counted_apart() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({}));
    ask(&bench, &handler, "sms=3", ALICE);
    assert_eq!(left(&ask(&bench, &handler, "", ANON), "sms"), "3");
    let by_address = bench.handler(
        &DEFINITION,
        json!({"limit_by": "ip", "limits": {"sms": {"minute": 3}}}),
    );
    ask(&bench, &by_address, "sms=2", ALICE);
    assert_eq!(left(&ask(&bench, &by_address, "", ANON), "sms"), "1");
}

#[test]
fn a_used_up_limit_can_refuse_all_requests() {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, &json!({"block_on_first_violation": true}));
    ask(&bench, &handler, "vid=1", ALICE);
    let mut request = Request::get("/").known_as(&bench, ALICE);
    let reply = request.access(&bench, &*handler).unwrap();
    let text = "API rate limit exceeded for 'vid'";
    assert_eq!(
        (reply.status, reply.body),
        (429, ReplyBody::Message(text.into()))
    );
}

#[test]
fn a_node_without_a_database_refuses_to_count_in_one() {
    let mut bench = Bench::new();
    let cluster = json!({"policy": "cluster", "limits": {"sms": {"minute": 3}}});
    assert!(bench.build(&DEFINITION, cluster).is_err());
}

#[test]
fn costs_are_counted_in_redis_for_all_nodes() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let config = json!({"policy": "redis", "limits": {"sms": {"year": 3}, "video": {"year": 9}},
        "redis": {"host": "127.0.0.1", "port": server.port}, "fault_tolerant": false});
    let (mut one, mut two) = (Bench::new(), Bench::new());
    let (first, second) = (
        one.handler(&DEFINITION, config.clone()),
        two.handler(&DEFINITION, config),
    );
    let core = core();
    let _inside = core.enter();
    let mut request = Request::get("/").at(clock::unix_millis());
    assert_eq!(core.block_on(access(&one, &*first, &mut request)), None);
    request.header_filter(&one, &*first, &[("x-kong-limit", "sms=2")]);
    request.log(&one, &*first, &outcome());
    let mut lines = Vec::new();
    for _ in 0..200 {
        let mut request = Request::get("/").at(clock::unix_millis());
        assert_eq!(core.block_on(access(&two, &*second, &mut request)), None);
        lines = request.header_filter(&two, &*second, &[("x-kong-limit", "sms=1")]);
        if lines
            .iter()
            .any(|line| line == "X-RateLimit-Remaining-sms-year: 0")
        {
            break;
        }
    }
    assert!(
        lines
            .iter()
            .any(|line| line == "X-RateLimit-Remaining-sms-year: 0"),
        "{lines:?}"
    );
    server.stop();
    let mut request = Request::get("/").at(clock::unix_millis());
    let refused = core.block_on(access(&two, &*second, &mut request));
    assert_eq!(refused.map(|reply| reply.status), Some(500));
}

async fn access(
    bench: &Bench,
    handler: &dyn Handler,
    request: &mut Request,
) -> Option<plugin_api::Reply> {
    request.access_on_core(bench, handler).await
}

#[test]
fn wrong_limits_are_named_with_their_place() {
    let found = violations(
        &DEFINITION,
        json!({"limits": {"sms": {"second": 5, "minute": 1}}}),
    );
    assert!(found[0].contains("the limit for minute(1.0)"), "{found:?}");
    let found = violations(&DEFINITION, json!({"limits": {}}));
    assert_eq!(found, ["limits: length must be at least 1"]);
}
