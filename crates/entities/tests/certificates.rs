//! Certificates, keys and authorities, with real ones.

mod common;
#[path = "common/pair.rs"]
mod pair;

use common::{catalogue, map};
use gatehouse_entities::{CaCertificate, Certificate, Mode};
use serde_json::{Value, json};

fn outcome(kind: &str, body: Value) -> Result<Value, Value> {
    let mut body = map(body);
    match catalogue().validate(kind, &mut body, Mode::Insert) {
        Ok(()) => Ok(Value::Object(body)),
        Err(violations) => Err(violations.fields()),
    }
}

fn authority() -> pki::Authority {
    pki::Authority::create("test authority").expect("an authority")
}

#[test]
fn a_certificate_must_fit_its_key() {
    let authority = authority();
    let one = authority.issue_server(&["a.test"]).expect("issued");
    let two = authority.issue_server(&["b.test"]).expect("issued");
    let good = json!({"cert": one.cert_pem, "key": one.key_pem});
    assert!(outcome("certificates", good).is_ok());
    let crossed = json!({"cert": one.cert_pem, "key": two.key_pem});
    assert_eq!(
        outcome("certificates", crossed),
        Err(json!({"@entity": ["certificate does not match key"]}))
    );
}

#[test]
fn what_is_no_pem_is_named_by_field() {
    let fields = outcome("certificates", json!({"cert": "x", "key": "y"})).expect_err("no PEM");
    assert!(
        fields["cert"]
            .as_str()
            .is_some_and(|text| text.starts_with("invalid certificate: "))
    );
    assert!(
        fields["key"]
            .as_str()
            .is_some_and(|text| text.starts_with("invalid key: "))
    );
    assert!(fields.get("@entity").is_none());
}

#[test]
fn the_alternative_pair_is_whole_and_of_another_type() {
    let authority = authority();
    let one = authority.issue_server(&["a.test"]).expect("issued");
    let two = authority.issue_server(&["a.test"]).expect("issued");
    let half = json!({"cert": one.cert_pem, "key": one.key_pem, "cert_alt": two.cert_pem});
    let fields = outcome("certificates", half).expect_err("half a pair");
    assert_eq!(
        fields["@entity"][0],
        json!("all or none of these fields must be set: 'cert_alt', 'key_alt'")
    );
    let same = json!({
        "cert": one.cert_pem, "key": one.key_pem,
        "cert_alt": two.cert_pem, "key_alt": two.key_pem,
    });
    let fields = outcome("certificates", same).expect_err("both are of one type");
    let message = fields["@entity"][0].as_str().unwrap_or_default();
    assert!(message.contains("need to have different type"), "{message}");
}

#[test]
fn references_into_a_vault_stand_for_certificates() {
    let body = json!({"cert": "{vault://env/cert}", "key": "{vault://env/key}"});
    assert!(outcome("certificates", body).is_ok());
}

#[test]
fn an_authority_is_one_certificate_that_may_sign() {
    let authority = authority();
    let stored = outcome("ca_certificates", json!({"cert": authority.ca_pem()})).expect("valid");
    let digest = stored["cert_digest"].as_str().unwrap_or_default();
    assert_eq!(digest.len(), 64);
    let twice = format!("{}{}", authority.ca_pem(), authority.ca_pem());
    assert_eq!(
        outcome("ca_certificates", json!({ "cert": twice })),
        Err(json!({"@entity": ["please submit only one certificate at a time"]}))
    );
    let leaf = authority.issue_client("client").expect("issued").cert_pem;
    let end = "-----END CERTIFICATE-----";
    let leaf = leaf.split_inclusive(end).next().unwrap_or_default();
    let fields = outcome("ca_certificates", json!({ "cert": leaf })).expect_err("no authority");
    let message = fields["@entity"][0].as_str().unwrap_or_default();
    assert!(message.contains("\"CA\" basic constraint"), "{message}");
}

#[test]
fn an_authority_of_the_past_is_refused() {
    let authority = authority();
    let far = 4_102_444_800_000;
    let _frozen = clock::freeze(far);
    assert_eq!(
        outcome("ca_certificates", json!({"cert": authority.ca_pem()})),
        Err(json!({"@entity": ["certificate expired, \"Not After\" time is in the past"]}))
    );
}

#[test]
fn the_digest_follows_the_certificate_whatever_was_sent() {
    let authority = authority();
    let body = json!({"cert": authority.ca_pem(), "cert_digest": "0".repeat(64)});
    let stored = outcome("ca_certificates", body).expect("valid");
    assert_ne!(stored["cert_digest"], json!("0".repeat(64)));
    let typed = CaCertificate::try_from(&map(stored)).expect("typed");
    assert!(typed.cert_digest.is_some());
}

#[test]
fn keys_do_not_appear_in_debug_output() {
    let issued = authority().issue_server(&["a.test"]).expect("issued");
    let stored = outcome(
        "certificates",
        json!({"cert": issued.cert_pem, "key": issued.key_pem}),
    )
    .expect("valid");
    let typed = Certificate::try_from(&map(stored)).expect("typed");
    assert!(typed.key.contains("PRIVATE KEY"));
    assert!(!format!("{typed:?}").contains("PRIVATE KEY"));
}

#[test]
fn both_halves_of_a_key_belong_together() {
    const OTHER: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbNSXG8YrehtWhAf4EY9f2LBPSsIf
VtABcatF4JZysBcZLt+WkexzsOtShd4yRwWZ9zvx++zzSbAwP0Y3CkkIfg==
-----END PUBLIC KEY-----
";
    let key = |public: &str| json!({"kid": "a", "pem": {"public_key": public, "private_key": pair::PRIVATE_KEY}});
    assert!(outcome("keys", key(pair::PUBLIC_KEY)).is_ok());
    assert_eq!(
        outcome("keys", key(OTHER)),
        Err(json!({"pem": "public key does not match private key"}))
    );
    assert!(outcome("keys", key("{vault://env/public}")).is_ok());
}
