//! Facts about what tokens open, for whom, and where they are kept.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::super::DEFINITION;
use super::{Rows, bearer, bench, config, parts, post, problem, token};
use crate::testing::{NOW_MS, Request, SERVICE};

#[test]
fn token_of_an_application_opens_the_service_and_names_its_owner() {
    let (mut bench, rows) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({"scopes": ["read", "write"]})));

    let (status, given) = token(
        &bench,
        &*handler,
        "grant_type=client_credentials&scope=read&state=s",
    );

    assert_eq!(
        (status, &given["token_type"], &given["state"]),
        (200, &json!("bearer"), &json!("s"))
    );
    assert_eq!(
        (&given["expires_in"], given.get("refresh_token")),
        (&json!(7200), None)
    );
    assert_eq!(rows.count("oauth2_tokens"), 1);
    let access = given["access_token"].as_str().unwrap();
    for request in [
        bearer(access),
        Request::new("GET", "/", &[("Authorization", &format!("token {access}"))]),
        Request::get(&format!("/?access_token={access}")),
        post("/", &[], &format!("access_token={access}")),
    ] {
        let mut request = request;
        assert_eq!(request.access(&bench, &*handler), None);
        let sent = request.sent_headers();
        assert!(
            sent.contains(&"X-Consumer-Username: alice".to_owned()),
            "{sent:?}"
        );
        assert!(
            sent.contains(&"X-Credential-Identifier: cid".to_owned()),
            "{sent:?}"
        );
        assert!(
            sent.contains(&"X-Authenticated-Scope: read".to_owned()),
            "{sent:?}"
        );
    }
    let late = NOW_MS + 7_202_000;
    let refused = bearer(access).at(late).access(&bench, &*handler).unwrap();
    assert_eq!(parts(&refused).1["error"], "invalid_token");
}

#[test]
fn hidden_tokens_do_not_reach_the_service() {
    let (mut bench, _) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({"hide_credentials": true})));
    let (_, given) = token(&bench, &*handler, "grant_type=client_credentials");
    let access = given["access_token"].as_str().unwrap();

    let mut request = bearer(access);
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(
        !request
            .sent_headers()
            .iter()
            .any(|line| line.contains(access))
    );
    let mut request = post(&format!("/?a=1&access_token={access}&b=2"), &[], "x=1");
    assert_eq!(request.access(&bench, &*handler), None);
    assert_eq!(request.edits.query.as_deref(), Some(&b"a=1&b=2"[..]));
    let mut request = post("/", &[], &format!("x=1&access_token={access}"));
    assert_eq!(request.access(&bench, &*handler), None);
    assert_eq!(request.edits.body.as_deref(), Some(&b"x=1"[..]));
}

#[test]
fn tokens_hold_for_their_service_or_for_all() {
    let (mut bench, rows) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({})));
    let global = bench.handler(&DEFINITION, config(json!({"global_credentials": true})));
    let (_, own) = token(&bench, &*handler, "grant_type=client_credentials");
    let (_, all) = token(&bench, &*global, "grant_type=client_credentials");
    let (own, all) = (
        own["access_token"].as_str().unwrap(),
        all["access_token"].as_str().unwrap(),
    );
    assert_eq!(
        rows.rows.lock()[0].1["service"]["id"],
        Uuid::from_u128(SERVICE).to_string()
    );

    let refused = bearer(all).access(&bench, &*handler).unwrap();
    assert_eq!(
        parts(&refused).1["error_description"],
        "The access token is global, but the current plugin is configured without \
         'global_credentials'"
    );
    assert_eq!(bearer(all).access(&bench, &*global), None);
    let mut elsewhere = bearer(own);
    elsewhere.service.as_mut().unwrap().id = Uuid::from_u128(1);
    let refused = elsewhere.access(&bench, &*handler).unwrap();
    assert_eq!(
        parts(&refused).1["error_description"],
        "The access token is invalid or has expired"
    );
}

#[test]
fn without_a_database_nothing_is_given_and_a_stand_in_still_counts() {
    let (mut bench, _) = bench(json!({}));
    bench.node.database = None;
    let handler = bench.handler(&DEFINITION, config(json!({"anonymous": "anon"})));

    assert!(
        bench.notices[0].contains("no database"),
        "{:?}",
        bench.notices
    );
    assert_eq!(
        token(&bench, &*handler, "grant_type=client_credentials").0,
        500
    );
    assert_eq!(
        token(&bench, &*handler, "grant_type=authorization_code&code=zz"),
        problem("invalid_request", "Invalid code")
    );
    let mut request = Request::get("/");
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.sends("X-Anonymous-Consumer: true"));
}

#[test]
fn a_database_that_is_away_fails_the_request() {
    let (mut bench, _) = bench(json!({}));
    let away = Rows {
        is_away: true,
        ..Rows::default()
    };
    bench.node.database = Some(Arc::new(away));
    let handler = bench.handler(&DEFINITION, config(json!({})));

    assert_eq!(bearer("x").access(&bench, &*handler).unwrap().status, 500);
    assert_eq!(
        token(&bench, &*handler, "grant_type=client_credentials").0,
        500
    );
}
