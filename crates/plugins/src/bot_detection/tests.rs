//! Facts about `bot-detection`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn status(config: Value, agents: &[&str]) -> u16 {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let headers: Vec<_> = agents.iter().map(|agent| ("User-Agent", *agent)).collect();
    let reply = Request::new("GET", "/", &headers).access(&bench, &*handler);
    reply.map_or(200, |reply| reply.status)
}

#[test]
fn known_robots_are_refused_and_others_pass() {
    for robot in [
        "Googlebot/2.1 (+http://www.google.com/bot.html)",
        "bingbot",
        "Baiduspider",
        "YandexBot/3.0",
        "Twitterbot/1.0",
        "Python-urllib/2.7",
        "crawler",
        "Some Spider/1.2",
    ] {
        assert_eq!(status(json!({}), &[robot]), 403, "{robot}");
    }
    for agent in [
        "",
        "curl/8.0",
        "Mozilla/5.0 (X11) Chrome/120",
        "Wget/1.2",
        "evilbot",
        "slurp",
    ] {
        assert_eq!(status(json!({}), &[agent]), 200, "{agent}");
    }
    assert_eq!(status(json!({}), &[]), 200);
}

#[test]
fn lists_decide_before_what_is_known() {
    assert_eq!(
        status(json!({"allow": ["Googlebot"]}), &["Googlebot/2.1"]),
        200
    );
    assert_eq!(status(json!({"deny": ["evil"]}), &["evilbot"]), 403);
    let both = || json!({"allow": ["good"], "deny": [".*"]});
    assert_eq!(status(both(), &["good"]), 200);
    assert_eq!(status(both(), &["other"]), 403);
    assert_eq!(
        status(json!({"deny": ["(chrome|mozilla)"]}), &["Mozilla/5.0"]),
        200
    );
}

#[test]
fn two_agents_are_a_bad_request() {
    assert_eq!(status(json!({}), &["a", "b"]), 400);
}

#[test]
fn a_pattern_that_is_none_is_named_with_its_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"deny": ["a", "("]})),
        ["deny[1]: not a valid regex: ("]
    );
}
