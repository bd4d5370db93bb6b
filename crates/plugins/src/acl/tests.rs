//! Facts about `acl`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, ANON, Bench, Request, violations};

/// Alice is in `g1` and `g2`; the stand-in is in no group.
fn run(config: Value, caller: Option<u128>, is_proved: bool) -> (u16, Vec<String>) {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/", &[("X-Consumer-Groups", "claimed")]);
    if let Some(caller) = caller {
        request = request.known_as(&bench, caller);
    }
    if is_proved {
        request = request.proved_by(&bench, "alice-key");
    }
    let reply = request.access(&bench, &*handler);
    (
        reply.map_or(200, |reply| reply.status),
        request.sent_headers(),
    )
}

fn status(config: Value, caller: Option<u128>, is_proved: bool) -> u16 {
    run(config, caller, is_proved).0
}

#[test]
fn members_of_an_allowed_group_pass_and_the_service_is_told_all_their_groups() {
    let (status, sent) = run(json!({"allow": ["x", "g2"]}), Some(ALICE), true);
    assert_eq!(
        (status, sent),
        (200, vec!["X-Consumer-Groups: g1, g2".to_owned()])
    );
    let hidden = json!({"allow": ["g2"], "hide_groups_header": true});
    let claimed = vec!["X-Consumer-Groups: claimed".to_owned()];
    assert_eq!(run(hidden, Some(ALICE), true), (200, claimed));
    assert_eq!(status_of_stranger(json!({"allow": ["x"]})), 403);
}

fn status_of_stranger(config: Value) -> u16 {
    status(config, Some(ALICE), true)
}

#[test]
fn members_of_a_denied_group_are_refused() {
    assert_eq!(status(json!({"deny": ["g1"]}), Some(ALICE), true), 403);
    assert_eq!(status(json!({"deny": ["x"]}), Some(ALICE), true), 200);
}

#[test]
fn a_caller_without_groups_passes_a_deny_list_only() {
    assert_eq!(
        run(json!({"deny": ["g1"]}), Some(ANON), true),
        (200, vec!["X-Consumer-Groups: ".to_owned()])
    );
    assert_eq!(status(json!({"allow": ["g1"]}), Some(ANON), true), 403);
    assert_eq!(status(json!({"allow": ["g1"]}), Some(ANON), false), 401);
}

#[test]
fn nobody_is_refused() {
    for config in [json!({"allow": ["g1"]}), json!({"deny": ["g1"]})] {
        assert_eq!(status(config, None, false), 401);
    }
}

#[test]
fn exactly_one_list_is_needed() {
    assert_eq!(violations(&DEFINITION, json!({})).len(), 2);
    let both = json!({"allow": ["a"], "deny": ["b"]});
    assert_eq!(violations(&DEFINITION, both).len(), 1);
}
