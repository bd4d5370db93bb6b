//! Facts about settings and requests that are wrong, and how applications prove themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::Scheme;
use serde_json::json;

use super::super::DEFINITION;
use super::super::secret::Secret;
use super::{authorize, bench, config, header, parts, post, problem, redirected, token};
use crate::testing::{Request, violations};

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
    assert_eq!(format!("{:?}", Secret::new(hash)), "…");
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
