//! The typed structs of the data path, read from bodies of the API and of the wire.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{
    Algorithm, HashInput, KeyauthCredential, Mode, PathHandling, Plugin, Protocol, Route, Service,
    Target, Upstream,
};
use serde_json::{Value, json};

const ID: &str = "a0000000-0000-4000-8000-000000000001";

fn complete(kind: &str, body: Value) -> gatehouse_entities::Map {
    let mut body = map(body);
    catalogue()
        .validate(kind, &mut body, Mode::Insert)
        .expect("valid");
    body
}

#[test]
fn a_service_is_read_whole() {
    let service = Service::try_from(&complete(
        "services",
        json!({"id": ID, "url": "https://a.test/x", "ca_certificates": [ID], "tls_verify": true}),
    ))
    .expect("typed");
    assert_eq!(service.protocol, Protocol::Https);
    assert_eq!((service.host.as_str(), service.port), ("a.test", 443));
    assert_eq!(service.path.as_deref(), Some("/x"));
    assert_eq!(service.read_timeout, 60_000);
    assert_eq!(service.ca_certificates.len(), 1);
}

#[test]
fn wire_oddities_are_understood() {
    let body = map(json!({
        "id": ID, "protocols": ["http"], "paths": ["/a"], "methods": {}, "tags": {},
        "headers": [], "regex_priority": 5.0, "service": ID, "created_at": 1.7e9,
        "sources": {}, "strip_path": false, "path_handling": "v1",
    }));
    let route = Route::try_from(&body).expect("typed");
    assert_eq!(route.regex_priority, 5);
    assert_eq!(route.created_at, 1_700_000_000);
    assert_eq!(route.service.map(|id| id.to_string()).as_deref(), Some(ID));
    assert!(route.methods.is_empty() && route.headers.is_empty() && route.sources.is_empty());
    assert_eq!(route.path_handling, PathHandling::V1);
}

#[test]
fn headers_of_a_route_keep_their_order() {
    let body = complete(
        "routes",
        json!({"id": ID, "headers": {"z": ["1", "2"], "a": ["3"]}}),
    );
    let route = Route::try_from(&body).expect("typed");
    assert_eq!(
        route.headers[0],
        ("z".to_owned(), vec!["1".to_owned(), "2".to_owned()])
    );
    assert_eq!(route.headers[1].0, "a");
}

#[test]
fn an_upstream_has_all_its_health_checks() {
    let body = complete(
        "upstreams",
        json!({"id": ID, "name": "u", "hash_on": "ip", "healthchecks": {"threshold": 50.5}}),
    );
    let upstream = Upstream::try_from(&body).expect("typed");
    assert_eq!(upstream.algorithm, Algorithm::ConsistentHashing);
    assert_eq!(upstream.hash_on, HashInput::Ip);
    assert!((upstream.healthchecks.threshold - 50.5).abs() < f64::EPSILON);
    assert_eq!(
        upstream.healthchecks.passive.healthy.http_statuses.len(),
        19
    );
    assert_eq!(upstream.healthchecks.active.unhealthy.http_statuses[0], 429);
}

#[test]
fn targets_are_host_and_port() {
    let body = complete(
        "targets",
        json!({"id": ID, "target": "::1", "upstream": {"id": ID}}),
    );
    let target = Target::try_from(&body).expect("typed");
    assert_eq!(target.host, "0000:0000:0000:0000:0000:0000:0000:0001");
    assert_eq!((target.port, target.weight), (8000, 100));
}

#[test]
fn a_plugin_keeps_its_complete_configuration() {
    let body = complete(
        "plugins",
        json!({"id": ID, "name": "limit", "config": {"minute": 5}}),
    );
    let plugin = Plugin::try_from(&body).expect("typed");
    assert_eq!(plugin.config["redis"], json!({"host": null, "port": 6379}));
    assert!(plugin.enabled);
}

#[test]
fn keys_do_not_appear_in_debug_output() {
    let body = complete(
        "keyauth_credentials",
        json!({"id": ID, "key": "hidden", "consumer": {"id": ID}}),
    );
    let credential = KeyauthCredential::try_from(&body).expect("typed");
    assert_eq!(credential.key, "hidden");
    assert!(!format!("{credential:?}").contains("hidden"));
}

#[test]
fn what_cannot_be_read_names_entity_and_member() {
    let error = Service::try_from(&map(json!({"id": ID, "host": "a", "port": 70000})))
        .expect_err("no port");
    assert_eq!(
        error.to_string(),
        "`services`: member `port` is not an integer in range"
    );
    let error = Service::try_from(&map(json!({"host": "a"}))).expect_err("no id");
    assert_eq!(error.to_string(), "`services`: member `id` is not a UUID");
}
