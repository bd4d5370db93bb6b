//! Facts about the ways to a token: codes, the fragment, refreshing, and their proofs.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use super::super::DEFINITION;
use super::{authorize, bearer, bench, config, parts, post, problem, redirected, token};
use crate::testing::{Bench, NOW_MS};

#[test]
fn code_is_exchanged_once_and_only_by_its_application() {
    let (mut bench, rows) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({})));

    let (status, answer) = authorize(&bench, &*handler, "response_type=code&state=a%20b");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(redirected(&answer, "state"), "a%20b");
    let form = format!(
        "grant_type=authorization_code&code={}",
        redirected(&answer, "code")
    );
    let (status, given) = token(&bench, &*handler, &form);
    let again = token(&bench, &*handler, &form);

    assert_eq!(status, 200, "{given}");
    assert!(given["refresh_token"].is_string());
    assert_eq!(again, problem("invalid_request", "Invalid code"));
    assert_eq!(rows.count("oauth2_authorization_codes"), 0);
    let mut request = bearer(given["access_token"].as_str().unwrap());
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.sends("X-Authenticated-UserId: u7"));
}

#[test]
fn codes_of_others_and_late_ones_are_refused() {
    let (mut bench, rows) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({})));
    let (_, answer) = authorize(&bench, &*handler, "response_type=code");
    let code = redirected(&answer, "code");
    let form =
        format!("client_id=cid&client_secret=csec&grant_type=authorization_code&code={code}");

    let late = post("/oauth2/token", &[], &form)
        .at(NOW_MS + 301_000)
        .access(&bench, &*handler);
    assert_eq!(
        parts(&late.unwrap()),
        problem("invalid_request", "Invalid code")
    );
    let other = json!({"id": Uuid::from_u128(77).to_string()});
    for member in ["credential", "service", "plugin"] {
        let kept = rows.rows.lock()[0]
            .1
            .insert(member.to_owned(), other.clone());
        let refused = post("/oauth2/token", &[], &form).access(&bench, &*handler);
        assert_eq!(
            parts(&refused.unwrap()),
            problem("invalid_request", "Invalid code")
        );
        rows.rows.lock()[0]
            .1
            .insert(member.to_owned(), kept.unwrap());
    }
    let good = post("/oauth2/token", &[], &form).access(&bench, &*handler);
    assert_eq!(good.unwrap().status, 200);
}

#[test]
fn implicit_grant_puts_the_token_into_the_fragment() {
    let (mut bench, _) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({})));

    let (status, answer) = authorize(&bench, &*handler, "response_type=token");

    let uri = answer["redirect_uri"].as_str().unwrap();
    assert_eq!(status, 200);
    assert!(uri.starts_with("http://app.test/cb#access_token="), "{uri}");
    assert!(
        uri.contains("token_type=bearer") && !uri.contains("refresh_token"),
        "{uri}"
    );
}

#[test]
fn refresh_token_gives_a_new_token_and_ends_the_old_one() {
    let (mut bench, rows) = bench(json!({}));
    let handler = bench.handler(&DEFINITION, config(json!({"scopes": ["read", "write"]})));
    let password = "grant_type=password&provision_key=pk&authenticated_userid=u&scope=read";
    let (_, first) = token(&bench, &*handler, password);
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        first["refresh_token"].as_str().unwrap()
    );

    let mismatch = token(&bench, &*handler, &format!("{form}&scope=write"));
    let (status, second) = token(&bench, &*handler, &form);
    let again = token(&bench, &*handler, &form);

    assert_eq!(mismatch, problem("invalid_scope", "Scope mismatch"));
    assert_eq!((status, rows.count("oauth2_tokens")), (200, 1));
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(again, problem("invalid_request", "Invalid refresh_token"));
    let old = bearer(first["access_token"].as_str().unwrap()).access(&bench, &*handler);
    assert_eq!(old.unwrap().status, 401);
    let handler = bench.handler(&DEFINITION, config(json!({"reuse_refresh_token": true})));
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        second["refresh_token"].as_str().unwrap()
    );
    let (_, third) = token(&bench, &*handler, &form);
    assert_eq!(third["refresh_token"], second["refresh_token"]);
    assert_eq!(rows.count("oauth2_tokens"), 1);
    let old = bearer(second["access_token"].as_str().unwrap()).access(&bench, &*handler);
    assert_eq!(old.unwrap().status, 401);
}

#[test]
fn proof_of_key_is_asked_of_those_who_must_give_it() {
    let (mut bench, _) = bench(json!({"client_type": "public"}));
    let handler = bench.handler(&DEFINITION, config(json!({})));
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let ask = |bench: &Bench, form: &str| {
        let mut request = post("/oauth2/token", &[], &format!("client_id=cid&{form}"));
        parts(&request.access(bench, &*handler).unwrap())
    };

    let (status, without) = authorize(&bench, &*handler, "response_type=code");
    assert_eq!(status, 400);
    assert_eq!(
        redirected(&without, "error_description"),
        "code_challenge%20is%20required%20for%20public%20clients"
    );
    let plain =
        format!("response_type=code&code_challenge={challenge}&code_challenge_method=plain");
    assert_eq!(authorize(&bench, &*handler, &plain).0, 400);
    let form = format!("response_type=code&code_challenge={challenge}&code_challenge_method=S256");
    let code = redirected(&authorize(&bench, &*handler, &form).1, "code");
    let form = format!("grant_type=authorization_code&code={code}");
    assert_eq!(ask(&bench, &form).1["error"], "invalid_request");
    assert_eq!(
        ask(&bench, &format!("{form}&code_verifier=short")).1["error"],
        "invalid_request"
    );
    let wrong = format!("{form}&code_verifier={}", "w".repeat(43));
    assert_eq!(ask(&bench, &wrong).1["error"], "invalid_grant");
    let with_secret = format!("{form}&code_verifier={verifier}&client_secret=x");
    assert_eq!(ask(&bench, &with_secret).1["error"], "invalid_client");
    assert_eq!(
        ask(&bench, &format!("{form}&code_verifier={verifier}")).0,
        200
    );
    let strict = bench.handler(&DEFINITION, config(json!({"pkce": "strict"})));
    assert_eq!(authorize(&bench, &*strict, "response_type=code").0, 400);
    let none = bench.handler(&DEFINITION, config(json!({"pkce": "none"})));
    assert_eq!(authorize(&bench, &*none, "response_type=code").0, 200);
}
