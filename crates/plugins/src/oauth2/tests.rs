//! Facts about `oauth2`.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plugin_api::{
    Addition, CredentialEntry, Database, DatabaseError, DatabaseFuture, Handler, Lookups, Reply,
    ReplyBody, Scheme,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::DEFINITION;
use crate::testing::{ALICE, ANON, Bench, NOW_MS, Request, SERVICE, kinds, text, violations};

const APPLICATION: u128 = 0x9;

/// Rows in memory.
#[derive(Debug, Default)]
struct Rows {
    rows: parking_lot::Mutex<Vec<(&'static str, Map<String, Value>)>>,
    is_away: bool,
}

impl Rows {
    fn count(&self, kind: &str) -> usize {
        self.rows
            .lock()
            .iter()
            .filter(|(own, _)| *own == kind)
            .count()
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> DatabaseFuture<T> {
        let is_away = self.is_away;
        Box::pin(async move {
            match is_away {
                true => Err(DatabaseError("away".to_owned())),
                false => Ok(answer),
            }
        })
    }
}

impl Database for Rows {
    fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>> {
        let rows = self.rows.lock();
        let mut found = rows
            .iter()
            .filter(|(own, row)| *own == kind && row[field] == value);
        self.answer(found.next().map(|(_, row)| row.clone()))
    }

    fn put(&self, kind: &'static str, row: Map<String, Value>) -> DatabaseFuture<()> {
        let mut rows = self.rows.lock();
        rows.retain(|(own, other)| *own != kind || other["id"] != row["id"]);
        rows.push((kind, row));
        self.answer(())
    }

    fn take(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<bool> {
        let mut rows = self.rows.lock();
        let before = rows.len();
        rows.retain(|(own, row)| *own != kind || row["id"] != id.to_string());
        self.answer(rows.len() < before)
    }

    fn delete(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<()> {
        drop(self.take(kind, id));
        self.answer(())
    }

    fn count(&self, _: Vec<Addition>) -> DatabaseFuture<Vec<u64>> {
        self.answer(Vec::new())
    }
}

/// A bench with an application of Alice's, and a database.
#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn bench(application: Value) -> (Bench, Arc<Rows>) {
    let mut bench = Bench::new();
    let rows = Arc::new(Rows::default());
    bench.node.database = Some(Arc::clone(&rows) as Arc<dyn Database>);
    let mut body = json!({
        "id": Uuid::from_u128(APPLICATION).to_string(), "client_id": "cid",
        "client_secret": "csec", "client_type": "confidential",
        "redirect_uris": ["http://app.test/cb"],
    });
    for (name, value) in application.as_object().unwrap() {
        body[name] = value.clone();
    }
    let body = body.as_object().unwrap().clone();
    let mut builder = Lookups::builder(kinds());
    for id in [ALICE, ANON] {
        builder.consumer((**bench.lookups.consumer(Uuid::from_u128(id)).unwrap()).clone());
    }
    for kind in &DEFINITION.credentials[..2] {
        let entry = CredentialEntry {
            id: Uuid::from_u128(APPLICATION),
            id_text: text(APPLICATION),
            consumer: Arc::clone(builder.find_consumer(Uuid::from_u128(ALICE)).unwrap()),
            expires_at_ms: None,
            prepared: kind.prepare.and_then(|prepare| prepare(&body)),
        };
        let slot = builder.slot_by(kind.entity, kind.field).unwrap();
        builder.credential(slot, body[kind.field].as_str().unwrap().as_bytes(), entry);
    }
    bench.lookups = builder.finish();
    (bench, rows)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn config(more: Value) -> Value {
    let mut config = json!({
        "provision_key": "pk", "enable_client_credentials": true, "enable_password_grant": true,
        "enable_authorization_code": true, "enable_implicit_grant": true,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn post(path: &str, headers: &[(&str, &str)], form: &str) -> Request {
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    let mut request = Request::new("POST", path, &all);
    request.body = Some(form.as_bytes().to_vec());
    request.client.scheme = Scheme::Https;
    request
}

fn parts(reply: &Reply) -> (u16, Value) {
    match &reply.body {
        ReplyBody::Raw(body) => (reply.status, serde_json::from_slice(body).unwrap()),
        _ => (reply.status, Value::Null),
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let mut found = reply.headers.iter();
    let found = found.find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    std::str::from_utf8(&found.1).ok()
}

fn token(bench: &Bench, handler: &dyn Handler, form: &str) -> (u16, Value) {
    let mut request = post(
        "/oauth2/token",
        &[],
        &format!("client_id=cid&client_secret=csec&{form}"),
    );
    parts(&request.access(bench, handler).expect("an answer"))
}

fn authorize(bench: &Bench, handler: &dyn Handler, form: &str) -> (u16, Value) {
    let form = format!("provision_key=pk&authenticated_userid=u7&client_id=cid&{form}");
    parts(
        &post("/oauth2/authorize/", &[], &form)
            .access(bench, handler)
            .expect("an answer"),
    )
}

fn problem(error: &str, text: &str) -> (u16, Value) {
    (400, json!({"error": error, "error_description": text}))
}

fn bearer(token: &str) -> Request {
    Request::new("GET", "/", &[("Authorization", &format!("Bearer {token}"))])
}

/// The value of a parameter in the query or fragment of a redirect.
fn redirected(answer: &Value, name: &str) -> String {
    let uri = answer["redirect_uri"].as_str().unwrap();
    let (_, parameters) = uri.split_once(['?', '#']).unwrap();
    let mut pairs = parameters
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).expect(uri).1.to_owned()
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({
            "provision_key": 7, "refresh_token_ttl": 100_000_001, "pkce": "odd",
            "mandatory_scope": true, "token_expiration": "x", "more": 1,
        }),
    );

    for path in [
        "provision_key",
        "refresh_token_ttl",
        "pkce",
        "token_expiration",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    let faults = violations(&DEFINITION, json!({"mandatory_scope": true}));
    assert!(
        faults.iter().any(|fault| fault.starts_with("scopes")),
        "{faults:?}"
    );
    let faults = violations(&DEFINITION, json!({}));
    assert!(faults[0].contains("at least one"), "{faults:?}");
}

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
    assert!(
        request
            .sent_headers()
            .contains(&"X-Authenticated-UserId: u7".to_owned())
    );
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

#[test]
fn applications_prove_themselves_by_form_or_header_with_plain_or_hashed_secrets() {
    let hash = pki::hash_secret("csec", [7; 16]);
    for secret in ["csec", hash.as_str()] {
        let (mut bench, _) = bench(json!({"client_secret": secret}));
        let handler = bench.handler(&DEFINITION, config(json!({})));
        let by_header = |pair: &str| {
            let value = format!("Basic {}", STANDARD.encode(pair));
            let headers = [("Authorization", value.as_str())];
            let mut request = post("/oauth2/token", &headers, "grant_type=client_credentials");
            request.access(&bench, &*handler).unwrap()
        };

        assert_eq!(
            token(&bench, &*handler, "grant_type=client_credentials").0,
            200
        );
        assert_eq!(by_header("cid:csec").status, 200);
        let wrong = by_header("cid:nope");
        assert_eq!(wrong.status, 401);
        assert_eq!(
            header(&wrong, "www-authenticate"),
            Some("Basic realm=\"OAuth2.0\"")
        );
        let mut wrong = post(
            "/oauth2/token",
            &[],
            "grant_type=client_credentials&client_id=cid&client_secret=x",
        );
        let wrong = wrong.access(&bench, &*handler).unwrap();
        assert_eq!(
            parts(&wrong),
            problem("invalid_client", "Invalid client authentication")
        );
        assert_eq!(header(&wrong, "cache-control"), Some("no-store"));
    }
    assert_eq!(format!("{:?}", super::secret::Secret::new(hash)), "…");
}

#[test]
fn endpoints_want_post_and_a_safe_way() {
    let (mut bench, _) = bench(json!({}));
    let handler = bench.handler(
        &DEFINITION,
        config(json!({"accept_http_if_already_terminated": true, "realm": "rr"})),
    );
    let form = "grant_type=client_credentials&client_id=cid&client_secret=csec";

    let get = Request::get("/a/oauth2/token")
        .access(&bench, &*handler)
        .unwrap();
    assert_eq!(get.status, 405);
    assert_eq!(
        header(&get, "www-authenticate"),
        Some(
            "Bearer realm=\"rr\" error=\"invalid_method\" error_description=\"The HTTP method \
              GET is invalid for the token endpoint\""
        )
    );
    let plain = |headers: &[(&str, &str)], is_trusted: bool| {
        let mut request = post("/oauth2/token", headers, form);
        request.client.scheme = Scheme::Http;
        request.client.is_peer_trusted = is_trusted;
        request.access(&bench, &*handler).unwrap().status
    };
    assert_eq!(plain(&[], true), 400);
    assert_eq!(plain(&[("X-Forwarded-Proto", "https")], false), 400);
    assert_eq!(
        plain(
            &[
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Proto", "http")
            ],
            true
        ),
        400
    );
    assert_eq!(plain(&[("X-Forwarded-Proto", "https")], true), 200);
}

#[test]
fn what_is_asked_for_wrongly_is_told_in_the_order_of_the_reference() {
    let (mut bench, _) = bench(json!({}));
    let settings =
        json!({"scopes": ["read"], "mandatory_scope": true, "enable_password_grant": false});
    let handler = bench.handler(&DEFINITION, config(settings));
    let raw = |form: &str| {
        parts(
            &post("/oauth2/authorize", &[], form)
                .access(&bench, &*handler)
                .unwrap(),
        )
    };

    assert_eq!(
        raw("x=1"),
        problem("invalid_provision_key", "Invalid provision_key")
    );
    assert_eq!(
        raw("provision_key=pk&client_id=cid"),
        problem(
            "invalid_authenticated_userid",
            "Missing authenticated_userid parameter"
        )
    );
    assert_eq!(
        raw("provision_key=pk&authenticated_userid=u&client_id=zz&response_type=code"),
        problem("invalid_client", "Invalid client authentication")
    );
    let error = |form: &str| redirected(&authorize(&bench, &*handler, form).1, "error");
    assert_eq!(
        error("response_type=code&scope=read&redirect_uri=http://evil.test"),
        "invalid_request"
    );
    assert_eq!(error("response_type=odd"), "invalid_scope");
    assert_eq!(
        error("response_type=odd&scope=read"),
        "unsupported_response_type"
    );
    assert_eq!(error("response_type=code&scope=none"), "invalid_scope");
    assert_eq!(
        token(
            &bench,
            &*handler,
            "grant_type=password&provision_key=pk&authenticated_userid=u"
        ),
        problem("unsupported_grant_type", "Invalid grant_type")
    );
    assert_eq!(
        token(&bench, &*handler, "grant_type=client_credentials"),
        problem("invalid_scope", "You must specify a scope")
    );
    let user = "grant_type=client_credentials&scope=read&authenticated_userid=u&provision_key=no";
    assert_eq!(
        token(&bench, &*handler, user),
        problem("invalid_provision_key", "Invalid provision_key")
    );
    let doubled = "grant_type=client_credentials&grant_type=client_credentials&scope=read";
    assert_eq!(
        token(&bench, &*handler, doubled),
        problem("unsupported_grant_type", "Invalid grant_type")
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
    assert!(
        request
            .sent_headers()
            .contains(&"X-Anonymous-Consumer: true".to_owned())
    );
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
