//! Facts about `ldap-auth` before a real directory.

use serde_json::{Value, json};
use test_support::Slapd;

use super::{config, with};
use crate::ldap_auth::DEFINITION;
use crate::outcall::Trust;
use crate::testing::{Bench, core};

/// What the plugin makes of a request with these credentials.
fn ask(slapd: &Slapd, more: Value, pair: &str) -> u16 {
    let mut bench = Bench::new();
    let roots = pki::Roots::from_pem(slapd.trusted().as_bytes()).unwrap();
    bench.shared.get::<Trust>().set(&roots);
    let handler = bench.handler(&DEFINITION, config(slapd.port(), more));
    let mut request = with("Authorization", "ldap", pair);
    let reply = request.access(&bench, &*handler);
    reply.map_or(200, |reply| reply.status)
}

#[test]
fn a_directory_knows_who_has_the_right_password_with_and_without_tls() {
    let runtime = core();
    let slapd = runtime.block_on(Slapd::start(&[("alice", "s3cret"), ("bob", "pass:word")]));
    let tls = slapd.tls_port();
    let ways = [
        json!({}),
        json!({"start_tls": true}),
        json!({"start_tls": true, "verify_ldap_host": true, "ldap_host": "localhost"}),
        json!({"ldaps": true, "ldap_port": tls}),
        json!({"ldaps": true, "ldap_port": tls, "verify_ldap_host": true, "ldap_host": "localhost"}),
    ];
    for way in ways {
        for (pair, status) in [
            ("alice:s3cret", 200),
            ("bob:pass:word", 200),
            ("alice:wrong", 401),
            ("carol:s3cret", 401),
            // Would be somebody without a name, whom directories let in.
            ("alice:", 401),
            (":s3cret", 401),
            // Names that would be another entry, were they not escaped.
            ("alice,ou=people:s3cret", 401),
            ("alice+cn=alice:s3cret", 401),
            ("*:s3cret", 401),
        ] {
            assert_eq!(ask(&slapd, way.clone(), pair), status, "{way} {pair}");
        }
    }
}

#[test]
fn a_directory_with_the_certificate_of_another_name_is_not_asked() {
    let runtime = core();
    let slapd = runtime.block_on(Slapd::start(&[("alice", "s3cret")]));
    for way in [
        json!({"start_tls": true, "verify_ldap_host": true}),
        json!({"ldaps": true, "ldap_port": slapd.tls_port(), "verify_ldap_host": true}),
    ] {
        assert_eq!(ask(&slapd, way, "alice:s3cret"), 500);
    }
}

#[test]
fn a_directory_that_is_away_or_says_nothing_fails_the_request() {
    let runtime = core();
    let mut slapd = runtime.block_on(Slapd::start(&[("alice", "s3cret")]));
    let signal = |name: &str| {
        let mut command = std::process::Command::new("kill");
        let ended = command.args([name, &slapd.pid().to_string()]).status();
        assert!(ended.unwrap().success());
    };
    signal("-STOP");
    assert_eq!(ask(&slapd, json!({"timeout": 200}), "alice:s3cret"), 500);
    signal("-CONT");
    assert_eq!(ask(&slapd, json!({}), "alice:s3cret"), 200);
    runtime.block_on(slapd.stop());
    assert_eq!(ask(&slapd, json!({}), "alice:s3cret"), 500);
}
