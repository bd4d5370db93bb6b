//! The built-in defaults.

use std::time::Duration;

use gatehouse_conf::{Database, LoadOptions, Role, Settings, properties};

#[test]
fn the_builtin_defaults_are_valid_and_quiet() {
    let (settings, notices) = Settings::load(&LoadOptions::default()).expect("defaults load");
    assert_eq!(notices, []);
    assert_eq!(settings.role, Role::Traditional);
    assert_eq!(settings.database, Database::Sqlite);
    assert!(settings.workers >= 1);
}

#[test]
fn the_builtin_defaults_are_those_of_the_reference() {
    let settings = Settings::builtin();
    assert_eq!(settings.proxy_listen.len(), 2);
    let plain = &settings.proxy_listen[0];
    assert_eq!(plain.address.to_string(), "0.0.0.0:8000");
    assert!(plain.reuseport && !plain.ssl && plain.backlog == Some(16384));
    let tls = &settings.proxy_listen[1];
    assert_eq!(tls.address.to_string(), "0.0.0.0:8443");
    assert!(tls.ssl && tls.http2);
    assert_eq!(
        settings.status_listen[0].address.to_string(),
        "127.0.0.1:8007"
    );
    assert!(settings.headers.server && settings.headers.via && settings.headers.request_id);
    assert!(settings.headers.proxy_latency && !settings.headers.upstream_status);
    assert!(settings.headers_upstream.request_id);
    assert_eq!(settings.upstream_keepalive_pool_size, 512);
    assert_eq!(
        settings.upstream_keepalive_idle_timeout,
        Some(Duration::from_secs(60))
    );
    assert_eq!(settings.client_max_body_size, None);
    assert_eq!(settings.admin_client_max_body_size, Some(10 * 1024 * 1024));
    assert_eq!(settings.keepalive_requests, 10_000);
    assert_eq!(settings.cluster_max_payload, 16 * 1024 * 1024);
    assert!(settings.proxy_server_ssl_verify);
    assert_eq!(settings.dns.stale_ttl, Duration::from_secs(3600));
}

#[test]
fn every_property_is_in_the_table_once() {
    let mut names: Vec<&str> = properties().map(|property| property.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 200, "{count} properties");
}
