//! Bodies of entities: what is accepted, what it becomes, what is refused with which words.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{Mode, Origin};
use serde_json::{Value, json};

fn accepted(kind: &str, body: Value) -> Value {
    let mut body = map(body);
    let outcome = catalogue().validate(kind, &mut body, Mode::Insert);
    assert_eq!(outcome, Ok(()), "{kind} refused");
    Value::Object(body)
}

fn refused(kind: &str, body: Value) -> Value {
    let mut body = map(body);
    let outcome = catalogue().validate(kind, &mut body, Mode::Insert);
    outcome.expect_err("it was accepted").fields()
}

const ID: &str = "a0000000-0000-4000-8000-000000000001";

#[test]
fn a_minimal_service_gets_the_defaults_of_the_reference() {
    let service = accepted("services", json!({"host": "a.test", "id": ID}));
    assert_eq!(service["port"], json!(80));
    assert_eq!(service["protocol"], json!("http"));
    assert_eq!(service["retries"], json!(5));
    assert_eq!(service["connect_timeout"], json!(60000));
    assert_eq!(service["enabled"], json!(true));
    assert_eq!(service["tls_verify_depth"], Value::Null);
    assert_eq!(service.as_object().map(|members| members.len()), Some(18));
    assert!(
        service["created_at"]
            .as_u64()
            .is_some_and(|time| time > 1_600_000_000)
    );
}

#[test]
fn the_url_of_a_service_is_taken_apart() {
    let cases = [
        (
            "https://x.test:8443/p/q",
            "https",
            "x.test",
            8443,
            json!("/p/q"),
        ),
        ("http://x.test", "http", "x.test", 80, Value::Null),
        ("grpcs://x.test", "grpcs", "x.test", 80, Value::Null),
        ("https://x.test", "https", "x.test", 443, Value::Null),
        ("//x.test:443", "https", "x.test", 443, Value::Null),
    ];
    for (url, protocol, host, port, path) in cases {
        let service = accepted(
            "services",
            json!({"url": url, "host": "ignored", "port": 99}),
        );
        assert_eq!(service["protocol"], json!(protocol), "{url}");
        assert_eq!(service["host"], json!(host), "{url}");
        assert_eq!(service["port"], json!(port), "{url}");
        assert_eq!(service["path"], path, "{url}");
        assert!(service.get("url").is_none());
    }
    assert_eq!(
        refused("services", json!({"url": "x"})),
        json!({"host": "required field missing", "path": "should start with: /"})
    );
    assert_eq!(
        refused("services", json!({"url": ""})),
        json!({"url": "length must be at least 1"})
    );
}

#[test]
fn services_without_tls_have_no_members_of_tls() {
    let fields = refused("services", json!({"host": "a", "tls_verify": true}));
    assert_eq!(fields["tls_verify"], json!("value must be null"));
    assert_eq!(
        fields["@entity"],
        json!(["failed conditional validation given value of field 'protocol'"])
    );
    accepted(
        "services",
        json!({"host": "a", "protocol": "https", "tls_verify": true}),
    );
    let fields = refused(
        "services",
        json!({"host": "a", "protocol": "grpc", "path": "/x"}),
    );
    assert_eq!(fields["path"], json!("value must be null"));
}

#[test]
fn routes_must_match_something() {
    let cases = [
        (
            json!({}),
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
        ),
        (
            json!({"protocols": ["http"]}),
            "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
        ),
        (
            json!({"protocols": ["grpc"]}),
            "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
        ),
        (
            json!({"protocols": ["grpcs"]}),
            "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
        ),
        (
            json!({"protocols": ["udp"]}),
            "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'",
        ),
        (
            json!({"protocols": ["tls_passthrough"]}),
            "must set snis when 'protocols' is 'tls_passthrough'",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(refused("routes", body), json!({"@entity": [message]}));
    }
}

#[test]
fn members_of_other_protocols_are_named() {
    assert_eq!(
        refused(
            "routes",
            json!({"paths": ["/"], "sources": [{"ip": "1.1.1.1"}]})
        ),
        json!({"sources": "cannot set 'sources' when 'protocols' is 'http' or 'https'"})
    );
    assert_eq!(
        refused(
            "routes",
            json!({"paths": ["/"], "protocols": ["grpc"], "strip_path": true})
        ),
        json!({"strip_path": "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'"})
    );
    assert_eq!(
        refused(
            "routes",
            json!({"paths": ["/"], "protocols": ["http"], "snis": ["a.test"]})
        ),
        json!({
            "@entity": ["'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or \
                         'tls_passthrough'"],
            "snis": "length must be 0",
        })
    );
    let route = accepted("routes", json!({"paths": ["/"], "protocols": ["grpc"]}));
    assert_eq!(route["strip_path"], json!(false));
}

#[test]
fn a_route_can_be_patched_without_naming_its_protocols() {
    let stored = map(accepted("routes", json!({"paths": ["/a"], "id": ID})));
    let mut patch = map(json!({"paths": null}));
    let violations = catalogue()
        .validate("routes", &mut patch, Mode::Update { stored: &stored })
        .expect_err("nothing left to match");
    assert_eq!(violations.entity().len(), 1);
    let mut patch = map(json!({"paths": null, "hosts": ["a.test"]}));
    catalogue()
        .validate("routes", &mut patch, Mode::Update { stored: &stored })
        .expect("hosts are enough");
    assert_eq!(patch["protocols"], json!(["http", "https"]));
}

#[test]
fn consumers_have_a_name_of_some_sort() {
    let message = "at least one of these fields must be non-empty: 'custom_id', 'username'";
    assert_eq!(
        refused("consumers", json!({})),
        json!({"@entity": [message]})
    );
    assert_eq!(
        refused("consumers", json!({"username": ""})),
        json!({"@entity": [message], "username": "length must be at least 1"})
    );
}

#[test]
fn hash_inputs_need_their_companions() {
    let fields = refused("upstreams", json!({"name": "x", "hash_on": "header"}));
    assert_eq!(fields["hash_on_header"], json!("required field missing"));
    let fields = refused(
        "upstreams",
        json!({"name": "x", "hash_on": "ip", "hash_fallback": "ip"}),
    );
    assert_eq!(
        fields["hash_fallback"],
        json!("expected one of: none, consumer, header, cookie, path, query_arg, uri_capture")
    );
    let same = json!({
        "name": "x", "hash_on": "header", "hash_on_header": "a",
        "hash_fallback": "header", "hash_fallback_header": "a",
    });
    assert_eq!(
        refused("upstreams", same),
        json!({"@entity": ["values of these fields must be distinct: 'hash_on_header', \
                            'hash_fallback_header'"]})
    );
}

#[test]
fn the_algorithm_follows_the_hash_input() {
    let upstream = accepted("upstreams", json!({"name": "x", "hash_on": "ip"}));
    assert_eq!(upstream["algorithm"], json!("consistent-hashing"));
    let upstream = accepted(
        "upstreams",
        json!({"name": "x", "algorithm": "least-connections"}),
    );
    assert_eq!(upstream["hash_on"], json!("none"));
    assert_eq!(
        upstream["healthchecks"]["active"]["unhealthy"]["interval"],
        json!(0)
    );
}

#[test]
fn targets_are_kept_in_normal_form_with_port_8000() {
    let target = |text: &str| {
        accepted("targets", json!({"target": text, "upstream": {"id": ID}}))["target"].clone()
    };
    assert_eq!(target("host.test"), json!("host.test:8000"));
    assert_eq!(
        target("[::1]:81"),
        json!("[0000:0000:0000:0000:0000:0000:0000:0001]:81")
    );
    let bad = json!({"target": "a b", "upstream": {"id": ID}, "weight": -1});
    assert_eq!(
        refused("targets", bad.clone()),
        json!({"target": "Invalid target; not a valid hostname or ip address"})
    );
    let violations = catalogue()
        .validate_from("targets", &mut map(bad), Mode::Insert, Origin::Declarative)
        .expect_err("not an address");
    assert_eq!(
        violations.fields()["target"],
        json!("Invalid target ('a b'); not a valid hostname or ip address")
    );
}

#[test]
fn times_of_targets_carry_milliseconds() {
    let _frozen = clock::freeze(1_700_000_000_123);
    let target = accepted("targets", json!({"target": "a", "upstream": {"id": ID}}));
    assert_eq!(target["created_at"], json!(1_700_000_000.123));
}

#[test]
fn keys_are_made_up_when_absent() {
    let key = accepted("keyauth_credentials", json!({"consumer": {"id": ID}}));
    let text = key["key"].as_str().unwrap_or_default();
    assert_eq!(text.len(), 32);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[test]
fn a_time_to_live_becomes_an_end() {
    let _frozen = clock::freeze(1_700_000_000_000);
    let key = |ttl: Value| json!({"consumer": {"id": ID}, "key": "k", "ttl": ttl});
    assert_eq!(
        accepted("keyauth_credentials", key(json!(60)))["ttl"],
        json!(1_700_000_060)
    );
    assert!(
        accepted("keyauth_credentials", key(json!(0)))
            .get("ttl")
            .is_none()
    );
    assert_eq!(
        refused("keyauth_credentials", key(json!(100_000_001)))["ttl"],
        json!("value should be between 0 and 100000000")
    );
    assert_eq!(
        refused(
            "acls",
            json!({"consumer": {"id": ID}, "group": "g", "ttl": 5})
        )["ttl"],
        json!("unknown field")
    );
    let mut wire = map(key(json!(1_800_000_000)));
    catalogue()
        .validate_from(
            "keyauth_credentials",
            &mut wire,
            Mode::Insert,
            Origin::Declarative,
        )
        .expect("an end");
    assert_eq!(wire["ttl"], json!(1_800_000_000));
}

#[test]
fn passwords_are_hashed_with_their_owner_and_not_twice() {
    let body = json!({
        "username": "b", "password": "plain",
        "consumer": {"id": "006a59a7-8eb1-5cc5-9890-db96d542fcca"},
    });
    let stored = accepted("basicauth_credentials", body);
    assert_eq!(
        stored["password"],
        json!("d807696e9b284ec30ca3af3a5d28ebf12c4629f1")
    );
    let stored = map(stored);
    let mut patch = map(json!({"username": "c"}));
    catalogue()
        .validate(
            "basicauth_credentials",
            &mut patch,
            Mode::Update { stored: &stored },
        )
        .expect("valid");
    assert_eq!(patch["password"], stored["password"]);
    let mut patch = map(json!({"password": "again"}));
    let violations = catalogue()
        .validate(
            "basicauth_credentials",
            &mut patch,
            Mode::Update { stored: &stored },
        )
        .expect_err("the owner is part of the hash");
    assert_eq!(
        violations.entity(),
        ["all or none of these fields must be set: 'password', 'consumer.id'"]
    );
}

#[test]
fn plugins_are_described_by_their_name() {
    assert_eq!(
        refused("plugins", json!({})),
        json!({"name": "required field missing"})
    );
    assert_eq!(
        refused("plugins", json!({"name": "nope", "bogus": 1})),
        json!({"name": "plugin 'nope' not enabled; add it to the 'plugins' configuration property"})
    );
    assert_eq!(
        refused(
            "plugins",
            json!({"name": "limit", "config": {"minute": -1, "bogus": 1}})
        ),
        json!({"config": {"minute": "value must be greater than 0", "bogus": "unknown field"}})
    );
    assert_eq!(
        refused("plugins", json!({"name": "limit"})),
        json!({"@entity": ["at least one of these fields must be non-empty: 'config.minute', \
                            'config.hour'"]})
    );
    let plugin = accepted("plugins", json!({"name": "auth"}));
    assert_eq!(plugin["config"], json!({"key_names": ["apikey"]}));
    assert_eq!(
        plugin["protocols"],
        json!(["grpc", "grpcs", "http", "https"])
    );
}

#[test]
fn plugins_limit_where_they_may_be_set() {
    assert_eq!(
        refused("plugins", json!({"name": "auth", "consumer": {"id": ID}})),
        json!({"consumer": "value must be null"})
    );
    assert_eq!(
        refused(
            "plugins",
            json!({"name": "auth", "protocols": ["http", "tcp"]})
        ),
        json!({"protocols": [null, "expected one of: grpc, grpcs, http, https"]})
    );
}

#[test]
fn a_patch_of_a_plugin_reads_the_stored_name_and_merges_the_configuration() {
    let stored = map(accepted(
        "plugins",
        json!({"name": "limit", "config": {"minute": 5, "redis": {"host": "h"}}}),
    ));
    let mut patch = map(json!({"config": {"hour": 9, "redis": {"port": 1}}}));
    catalogue()
        .validate("plugins", &mut patch, Mode::Update { stored: &stored })
        .expect("valid");
    assert_eq!(
        patch["config"],
        json!({"minute": 5, "hour": 9, "redis": {"host": "h", "port": 1}, "backend": null})
    );
    catalogue().expose("plugins", &mut patch);
    assert_eq!(patch["config"]["redis_host"], json!("h"));
}

#[test]
fn vaults_other_than_the_environment_are_not_installed() {
    assert_eq!(
        refused("vaults", json!({"prefix": "env", "name": "aws"})),
        json!({"name": "vault 'aws' is not installed"})
    );
    let vault = accepted("vaults", json!({"prefix": "my-env", "name": "env"}));
    assert_eq!(vault["config"], json!({"prefix": null}));
    assert_eq!(
        refused("vaults", json!({"prefix": "Upper", "name": "env"})),
        json!({"prefix": "invalid value: Upper"})
    );
}

#[test]
fn an_unknown_kind_is_one_violation() {
    let violations = catalogue()
        .validate("bogus", &mut map(json!({})), Mode::Insert)
        .expect_err("there is none");
    assert_eq!(violations.entity(), ["unknown entity `bogus`"]);
}

#[test]
fn what_was_accepted_is_accepted_again_unchanged() {
    let bodies = [
        (
            "services",
            json!({"url": "https://a.test/x", "tags": ["a", "a"]}),
        ),
        (
            "routes",
            json!({"paths": ["/a", "~/b"], "headers": {"x": ["1"]}, "methods": ["GET"]}),
        ),
        (
            "upstreams",
            json!({"name": "u", "hash_on": "consumer", "hash_fallback": "ip"}),
        ),
        ("targets", json!({"target": "::1", "upstream": {"id": ID}})),
        ("consumers", json!({"username": "x"})),
        ("keyauth_credentials", json!({"consumer": {"id": ID}})),
        (
            "plugins",
            json!({"name": "limit", "config": {"minute": 1, "redis_host": "h"}}),
        ),
        (
            "snis",
            json!({"name": "*.a.test", "certificate": {"id": ID}}),
        ),
        ("workspaces", json!({"name": "default"})),
        ("parameters", json!({"key": "cluster_id", "value": ID})),
        ("acls", json!({"group": "g", "consumer": {"id": ID}})),
        ("key_sets", json!({"name": "ks"})),
        ("vaults", json!({"prefix": "my-env", "name": "env"})),
        ("jwt_secrets", json!({"consumer": {"id": ID}})),
        (
            "hmacauth_credentials",
            json!({"username": "h", "consumer": {"id": ID}}),
        ),
    ];
    for (kind, body) in bodies {
        let once = accepted(kind, body);
        let mut again = map(once.clone());
        again.shift_remove("updated_at");
        let twice = accepted(kind, Value::Object(again));
        let without = |value: &Value| {
            let mut body = map(value.clone());
            body.shift_remove("updated_at");
            Value::Object(body)
        };
        assert_eq!(without(&once), without(&twice), "{kind}");
    }
}
