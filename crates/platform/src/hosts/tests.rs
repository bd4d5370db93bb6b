use super::*;

fn hosts() -> Hosts {
    Hosts::new("konghq.example.org", &["us".to_owned(), "eu".to_owned()])
}

fn geo(name: &str) -> String {
    name.to_owned()
}

#[test]
fn every_class_is_recognised_in_both_generations() {
    let node = |channel: &str| format!("0c9f4e21aa.us.{channel}.konghq.example.org");
    let prefix = || "0c9f4e21aa".to_owned();
    let configuration = Class::Configuration {
        prefix: prefix(),
        geo: geo("us"),
    };
    let telemetry = Class::Telemetry {
        prefix: prefix(),
        geo: geo("us"),
    };
    for (name, class) in [
        (node("cp0"), &configuration),
        (node("cp"), &configuration),
        (node("tp0"), &telemetry),
        (node("tp"), &telemetry),
    ] {
        assert_eq!(hosts().classify(&name).as_ref(), Some(class), "{name}");
    }
    let portal = Class::Portal { geo: geo("us") };
    for name in [
        "a-b.us.portal.konghq.example.org",
        "a-b.us.kongportals.example.org",
    ] {
        assert_eq!(hosts().classify(name).as_ref(), Some(&portal), "{name}");
    }
}

#[test]
fn names_without_prefix_are_recognised() {
    let us = || geo("us");
    for (name, class) in [
        ("cloud.konghq.example.org", Class::Cloud),
        ("global.api.konghq.example.org", Class::GlobalApi),
        ("us.api.konghq.example.org", Class::GeoApi { geo: us() }),
        (
            "EU.API.KongHQ.Example.org",
            Class::GeoApi { geo: geo("eu") },
        ),
        ("us.api.konghq.example.org.", Class::GeoApi { geo: us() }),
        (
            "us.kic.api.konghq.example.org",
            Class::IngressController { geo: us() },
        ),
        (
            "us.svc.konghq.example.org",
            Class::PrivateLink { geo: us() },
        ),
        (
            "us.mesh.sync.konghq.example.org",
            Class::MeshSync { geo: us() },
        ),
        (
            "global.mesh.sync.konghq.example.org",
            Class::MeshSync { geo: geo("global") },
        ),
        ("ip-addresses.origin.konghq.example.org", Class::IpAddresses),
        ("localhost", Class::Local),
        ("127.0.0.1", Class::Local),
        ("::1", Class::Local),
    ] {
        assert_eq!(hosts().classify(name), Some(class), "{name}");
    }
}

#[test]
fn names_of_no_class_are_refused() {
    for name in [
        "",
        ".",
        "konghq.example.org",
        "example.org",
        "example.com",
        "api.konghq.example.org",
        "au.api.konghq.example.org",
        "us.api.konghq.example.com",
        "us.apikonghq.example.org",
        "x.us.api.konghq.example.org",
        "us.cp0.konghq.example.org",
        "a.b.us.cp0.konghq.example.org",
        "0c9f4e21aa.au.cp0.konghq.example.org",
        "0c9f4e21aa.us.cp1.konghq.example.org",
        "-a.us.cp0.konghq.example.org",
        "a_b.us.cp0.konghq.example.org",
        ".us.cp0.konghq.example.org",
        "global.kic.api.konghq.example.org",
        "global.svc.konghq.example.org",
        "us.kongportals.example.org",
        "localhost.example.org",
    ] {
        assert_eq!(hosts().classify(name), None, "{name}");
    }
}

#[test]
fn only_names_of_callers_with_certificates_ask_for_one() {
    let asks = |name: &str| hosts().classify(name).unwrap().wants_client_certificate();
    for name in [
        "a.us.cp0.",
        "a.us.cp.",
        "a.us.tp0.",
        "a.us.tp.",
        "us.kic.api.",
        "us.svc.",
    ] {
        assert!(asks(&format!("{name}konghq.example.org")), "{name}");
    }
    for name in [
        "cloud.",
        "global.api.",
        "us.api.",
        "p.us.portal.",
        "us.mesh.sync.",
        "ip-addresses.origin.",
    ] {
        assert!(!asks(&format!("{name}konghq.example.org")), "{name}");
    }
}

#[test]
fn certificates_name_no_prefix_and_no_portal() {
    let names = |name: &str| hosts().certificate_names(name);
    assert_eq!(
        names("0c9f4e21aa.us.cp0.konghq.example.org").unwrap(),
        ["*.us.cp0.konghq.example.org"]
    );
    assert_eq!(
        names("p.eu.kongportals.example.org").unwrap(),
        ["*.eu.kongportals.example.org"]
    );
    assert_eq!(
        names("US.api.konghq.example.org").unwrap(),
        ["us.api.konghq.example.org"]
    );
    assert_eq!(names("127.0.0.1").unwrap(), Vec::<String>::new());
    assert_eq!(names("example.com"), None);
}

#[test]
fn patterns_hold_placeholders_only() {
    let patterns = hosts().patterns().join("\n");
    assert!(patterns.contains("{prefix}.{us|eu}.cp0.konghq.example.org"));
    assert!(patterns.contains("{portal}.{us|eu}.kongportals.example.org"));
}

#[test]
fn hosts_are_read_out_of_authorities() {
    assert_eq!(host_of("us.api.d:8443"), Some("us.api.d"));
    assert_eq!(host_of("us.api.d"), Some("us.api.d"));
    assert_eq!(host_of("us.api.d:"), Some("us.api.d"));
    assert_eq!(host_of("[::1]:8443"), Some("::1"));
    assert_eq!(host_of("[::1]"), Some("::1"));
    for bad in [
        "", ":443", "a:b", "a:70000", "a:1:2", "[::1", "[x]:1", "[::1]x", "a:+1",
    ] {
        assert_eq!(host_of(bad), None, "{bad}");
    }
}
