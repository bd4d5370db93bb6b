//! Facts about `session`.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use plugin_api::{Addition, Database, DatabaseFuture, Needs, Reply, ReplyBody};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::DEFINITION;
use super::seal::Sealer;
use crate::testing::{ALICE, Bench, NOW_MS, Request, core, violations};

const SECRET: &str = "a secret of a test";

fn config(more: &Value) -> Value {
    let mut config = json!({"secret": SECRET});
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    config
}

/// Signs Alice in; gives the lines that the browser gets.
fn sign_in(bench: &Bench, handler: &dyn plugin_api::Handler, at: u64) -> Vec<String> {
    let mut request = Request::get("/")
        .known_as(bench, ALICE)
        .proved_by(bench, "alice-key")
        .at(at);
    assert_eq!(request.access(bench, handler), None);
    request.header_filter(bench, handler, &[])
}

/// The value of a cookie among header lines.
fn cookie(lines: &[String], name: &str) -> String {
    let start = format!("Set-Cookie: {name}=");
    let line = lines.iter().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("{name}: {lines:?}"));
    line.split(';').next().unwrap().to_owned()
}

/// A request that shows a cookie.
fn back(target: &str, cookie: &str, at: u64) -> Request {
    Request::new("GET", target, &[("Cookie", cookie)]).at(at)
}

#[test]
fn a_caller_who_was_proved_is_known_again_by_the_cookie() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&json!({})));
    let lines = sign_in(&bench, &*handler, NOW_MS);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].ends_with("; Path=/; SameSite=Strict; Secure; HttpOnly"),
        "{lines:?}"
    );
    let token = cookie(&lines, "session");

    let shown = format!("other=1; session={token}");
    let mut request = back("/", &shown, NOW_MS + 1000);
    assert_eq!(request.access(&bench, &*handler), None);
    let sent = request.sent_headers();
    for line in ["X-Consumer-Username: alice", "X-Consumer-Custom-ID: al-1"] {
        assert!(sent.iter().any(|sent| sent == line), "{sent:?}");
    }
    let credential = "X-Credential-Identifier: 00000000-0000-0000-0000-00000000000e";
    assert!(sent.iter().any(|sent| sent == credential), "{sent:?}");
    // Nothing has changed, so the browser gets nothing.
    assert_eq!(request.header_filter(&bench, &*handler, &[]), [""; 0]);
}

#[test]
fn nobody_is_kept_who_was_not_proved() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&json!({})));
    let mut anonymous = Request::get("/").known_as(&bench, ALICE);
    anonymous.access(&bench, &*handler);
    assert_eq!(anonymous.header_filter(&bench, &*handler, &[]), [""; 0]);
}

#[test]
fn what_was_not_sealed_by_this_secret_is_nothing() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&json!({})));
    let other = bench.handler(&DEFINITION, json!({"secret": "another"}));
    let audience = bench.handler(&DEFINITION, config(&json!({"audience": "b"})));
    let token = cookie(&sign_in(&bench, &*handler, NOW_MS), "session");
    let mut flipped = token.clone().into_bytes();
    flipped[60] = if flipped[60] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let renamed = bench.handler(&DEFINITION, config(&json!({"cookie_name": "other"})));
    let cases = [
        (&handler, "session=garbage".to_owned()),
        (&handler, "session=".to_owned()),
        (&handler, format!("session={flipped}")),
        (&handler, format!("session={}", &token[..40])),
        (&handler, format!("session={}", "A".repeat(100_000))),
        (&other, format!("session={token}")),
        (&audience, format!("session={token}")),
        (&renamed, format!("other={token}")),
    ];
    for (handler, shown) in cases {
        let mut request = back("/", &shown, NOW_MS);
        assert_eq!(request.access(&bench, &**handler), None);
        assert!(request.identity.consumer.is_none(), "{shown:.60}");
    }
}

#[test]
fn a_session_ends_and_is_renewed_by_its_times() {
    let mut bench = Bench::new();
    let times = json!({"idling_timeout": 100, "rolling_timeout": 300, "absolute_timeout": 1000});
    let handler = bench.handler(&DEFINITION, config(&times));
    let token = cookie(&sign_in(&bench, &*handler, NOW_MS), "session");
    let after = |seconds: u64| {
        let mut request = back("/", &format!("session={token}"), NOW_MS + seconds * 1000);
        request.access(&bench, &*handler);
        let is_known = request.identity.consumer.is_some();
        (
            is_known,
            !request.header_filter(&bench, &*handler, &[]).is_empty(),
        )
    };
    assert_eq!(after(20), (true, false));
    // Used after a quarter of the time: noted, so that it does not end while it is used.
    assert_eq!(after(30), (true, true));
    assert_eq!(after(99), (true, true));
    assert_eq!(after(100), (false, false));

    // Used all the time it is renewed, until it ends in any case.
    let mut token = token.clone();
    for second in (0..=1100).step_by(50) {
        let mut request = back("/", &format!("session={token}"), NOW_MS + second * 1000);
        request.access(&bench, &*handler);
        assert_eq!(
            request.identity.consumer.is_some(),
            second < 1000,
            "{second}"
        );
        let lines = request.header_filter(&bench, &*handler, &[]);
        if !lines.is_empty() {
            token = cookie(&lines, "session");
        }
    }
}

#[test]
fn signing_out_answers_at_once_and_takes_the_cookie() {
    let mut bench = Bench::new();
    let settings = json!({"read_body_for_logout": true, "remember": true});
    let handler = bench.handler(&DEFINITION, config(&settings));
    assert_eq!(handler.needs(), Needs::REQUEST_BODY);
    let token = cookie(&sign_in(&bench, &*handler, NOW_MS), "session");
    let shown = format!("session={token}");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let json = ("Content-Type", "application/json");
    let cases = [
        ("POST", "/?session_logout=1", form, "", true),
        ("DELETE", "/?session_logout", form, "", true),
        ("POST", "/", form, "session_logout=yes", true),
        ("POST", "/", json, r#"{"session_logout":1}"#, true),
        ("POST", "/", json, "not json", false),
        ("POST", "/", form, "other=1", false),
        ("GET", "/?session_logout=1", form, "", false),
    ];
    for (method, target, kind, body, expected) in cases {
        let mut request = Request::new(method, target, &[("Cookie", &shown), kind]);
        request.body = Some(body.as_bytes().to_vec());
        let answer = request.access(&bench, &*handler);
        let ok = Reply::with_body(200, ReplyBody::Empty);
        assert_eq!(answer, expected.then_some(ok), "{method} {target} {body}");
        if expected {
            let gone = "Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0";
            let lines = request.header_filter(&bench, &*handler, &[]);
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines.iter().all(|line| line.ends_with(gone)), "{lines:?}");
        }
    }
    let mut without = Request::new("POST", "/?session_logout=1", &[]);
    assert_eq!(without.access(&bench, &*handler), None);
}

#[test]
fn a_remembered_caller_comes_back_without_the_session() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&json!({"remember": true})));
    let lines = sign_in(&bench, &*handler, NOW_MS);
    let remembered = cookie(&lines, "remember");
    assert!(
        lines[1].contains("; Expires=Sat, 07 Feb 2026 23:59:30 GMT; Max-Age=604800"),
        "{lines:?}"
    );
    let day = 86_400_000;
    let mut request = back("/", &format!("remember={remembered}"), NOW_MS + 3 * day);
    request.access(&bench, &*handler);
    assert!(request.identity.consumer.is_some());
    let lines = request.header_filter(&bench, &*handler, &[]);
    assert_eq!(lines.len(), 2);
    assert_ne!(cookie(&lines, "remember"), remembered);
    let mut late = back("/", &format!("remember={remembered}"), NOW_MS + 8 * day);
    late.access(&bench, &*handler);
    assert!(late.identity.consumer.is_none());
}

#[test]
fn facts_about_the_session_are_told() {
    let mut bench = Bench::new();
    let all = json!([
        "id",
        "audience",
        "subject",
        "timeout",
        "idling-timeout",
        "rolling-timeout",
        "absolute-timeout"
    ]);
    let settings = json!({"response_headers": all, "request_headers": all});
    let handler = bench.handler(&DEFINITION, config(&settings));
    let lines = sign_in(&bench, &*handler, NOW_MS);
    for line in [
        "Session-Audience: default",
        "Session-Subject: alice",
        "Session-Timeout: 900",
        "Session-Idling-Timeout: 900",
        "Session-Rolling-Timeout: 3600",
        "Session-Absolute-Timeout: 86400",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
    }
    let token = cookie(&lines, "session");
    let mut request = Request::new(
        "GET",
        "/",
        &[
            ("Cookie", &format!("session={token}")),
            ("Session-Subject", "forged"),
        ],
    );
    request.access(&bench, &*handler);
    let sent = request.sent_headers();
    assert!(
        sent.contains(&"Session-Subject: alice".to_owned()),
        "{sent:?}"
    );
    let id = lines
        .iter()
        .find(|line| line.starts_with("Session-Id: "))
        .unwrap();
    assert!(sent.contains(id), "{sent:?}");
}

#[test]
fn a_session_of_a_consumer_that_is_no_more_ends() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&json!({})));
    let token = cookie(&sign_in(&bench, &*handler, NOW_MS), "session");
    bench.lookups = plugin_api::Lookups::default();
    let mut request = back("/", &format!("session={token}"), NOW_MS);
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.identity.consumer.is_none());
    assert!(request.header_filter(&bench, &*handler, &[])[0].contains("Max-Age=0"));
}

/// A database in memory.
#[derive(Debug, Default)]
struct Memory {
    rows: Mutex<HashMap<Uuid, Map<String, Value>>>,
}

impl Database for Memory {
    fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>> {
        assert_eq!(kind, "sessions");
        let rows = self.rows.lock();
        let found = rows.values().find(|row| row[field] == value).cloned();
        Box::pin(async move { Ok(found) })
    }

    fn put(&self, _kind: &'static str, row: Map<String, Value>) -> DatabaseFuture<()> {
        let id = Uuid::parse_str(row["id"].as_str().unwrap()).unwrap();
        self.rows.lock().insert(id, row);
        Box::pin(async { Ok(()) })
    }

    fn take(&self, _kind: &'static str, id: Uuid) -> DatabaseFuture<bool> {
        let was_there = self.rows.lock().remove(&id).is_some();
        Box::pin(async move { Ok(was_there) })
    }

    fn delete(&self, _kind: &'static str, id: Uuid) -> DatabaseFuture<()> {
        self.rows.lock().remove(&id);
        Box::pin(async { Ok(()) })
    }

    fn count(&self, _additions: Vec<Addition>) -> DatabaseFuture<Vec<u64>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[test]
fn a_session_in_the_database_ends_with_its_row() {
    let core = core();
    let mut bench = Bench::new();
    let memory = Arc::new(Memory::default());
    bench.node.database = Some(Arc::clone(&memory) as Arc<dyn Database>);
    let settings = config(&json!({"storage": "kong", "logout_methods": ["GET"]}));
    let handler = bench.handler(&DEFINITION, settings);
    let lines = {
        let _inside = core.enter();
        let mut request = Request::get("/")
            .known_as(&bench, ALICE)
            .proved_by(&bench, "alice-key");
        request.header_filter(&bench, &*handler, &[])
    };
    let token = cookie(&lines, "session");
    let rows: Vec<_> = memory.rows.lock().values().cloned().collect();
    assert_eq!(rows.len(), 1);
    // Neither the cookie nor the caller can be read in the row.
    let text = Value::Object(rows[0].clone()).to_string();
    assert!(!text.contains(&token) && !text.contains("alice"), "{text}");

    let shown = format!("session={token}");
    let mut request = back("/", &shown, NOW_MS);
    request.access(&bench, &*handler);
    assert!(request.identity.consumer.is_some());

    let mut out = back("/?session_logout=1", &shown, NOW_MS);
    assert_eq!(
        out.access(&bench, &*handler).map(|reply| reply.status),
        Some(200)
    );
    assert!(memory.rows.lock().is_empty());
    let mut again = back("/", &shown, NOW_MS);
    again.access(&bench, &*handler);
    assert!(again.identity.consumer.is_none());
}

#[test]
fn a_node_without_a_database_keeps_no_sessions() {
    let mut bench = Bench::new();
    let Err(error) = bench.build(&DEFINITION, config(&json!({"storage": "kong"}))) else {
        panic!("it was built")
    };
    assert!(error.to_string().starts_with("`config.storage`"), "{error}");
}

#[test]
fn a_token_belongs_to_its_cookie() {
    let sealer = Sealer::new(SECRET).unwrap();
    let token = sealer.seal("session", &[7; 32], None).unwrap();
    assert_eq!(sealer.open("session", &token), Some(([7; 32], None)));
    assert_eq!(sealer.open("remember", &token), None);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let settings = json!({"storage": "own", "cookie_same_site": "no", "logout_methods": ["PUT"],
        "response_headers": ["own"]});
    let found = violations(&DEFINITION, settings);
    for place in [
        "storage",
        "cookie_same_site",
        "logout_methods",
        "response_headers",
    ] {
        assert!(
            found.iter().any(|text| text.starts_with(place)),
            "{place}: {found:?}"
        );
    }
}
