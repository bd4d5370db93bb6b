//! What the settings of TLS do, as OpenSSL sees it; and a thousand certificates.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use conf::{LoadOptions, Settings};
use pki::CertifiedPair;
use test_support::TempDir;

use super::support::*;
use super::tls::tls_settings;

/// A node with these properties beside its own.
fn node(properties: &[(&str, &str)]) -> Gateway {
    let environment = properties
        .iter()
        .map(|(name, value)| (format!("KONG_{}", name.to_uppercase()), (*value).to_owned()));
    let loaded = Settings::load(&LoadOptions {
        environment: environment.collect(),
        ..LoadOptions::default()
    });
    let loaded = loaded.expect("good settings").0;
    let origin = Origin::ok("ok");
    let mut settings = tls_settings();
    settings.ssl_suites = loaded.ssl_suites;
    settings.ssl_protocols = loaded.ssl_protocols;
    settings.ssl_prefer_server_ciphers = loaded.ssl_prefer_server_ciphers;
    settings.ssl_session_tickets = loaded.ssl_session_tickets;
    settings.ssl_session_timeout = loaded.ssl_session_timeout;
    settings.ssl_session_cache_size = loaded.ssl_session_cache_size;
    gateway_with(
        &settings,
        &[serde_json::json!({"paths": ["/"]})],
        &service(origin.address),
    )
}

/// What `openssl s_client` prints that asks for `/`.
fn openssl(address: SocketAddr, arguments: &[&str]) -> String {
    let mut child = Command::new("openssl")
        .args([
            "s_client",
            "-servername",
            "named.test",
            "-ign_eof",
            "-connect",
        ])
        .arg(address.to_string())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl");
    let mut input = child.stdin.take().expect("a pipe");
    // Where the handshake fails nobody reads it.
    let _ = input.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    drop(input);
    let output = child.wait_with_output().expect("an end");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The suite agreed on; `None` without a handshake.
fn suite(gateway: &Gateway, arguments: &[&str]) -> Option<String> {
    let output = openssl(gateway.address(), arguments);
    let (_, rest) = output.split_once("Cipher is ")?;
    let name = rest.lines().next()?.trim();
    (name != "(NONE)").then(|| name.to_owned())
}

#[test]
fn each_preset_offers_its_versions_and_suites() {
    let aes = "ECDHE-ECDSA-AES128-GCM-SHA256";
    let chacha = "ECDHE-ECDSA-CHACHA20-POLY1305";
    for (preset, takes_12, takes_chacha) in [
        ("modern", false, false),
        ("intermediate", true, true),
        ("old", true, true),
        ("fips", true, false),
    ] {
        let gateway = node(&[("ssl_cipher_suite", preset)]);
        let of_12 = suite(&gateway, &["-tls1_2", "-cipher", aes]);
        assert_eq!(of_12.as_deref(), takes_12.then_some(aes), "{preset}");
        let of_12 = suite(&gateway, &["-tls1_2", "-cipher", chacha]);
        assert_eq!(of_12.as_deref(), takes_chacha.then_some(chacha), "{preset}");
        let of_13 = suite(&gateway, &["-tls1_3"]);
        assert_eq!(of_13.as_deref(), Some("TLS_AES_256_GCM_SHA384"), "{preset}");
        // Nothing older and nothing without forward secrecy, whatever the preset.
        for arguments in [
            &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..],
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES128-SHA"],
        ] {
            assert_eq!(suite(&gateway, arguments), None, "{preset}");
        }
    }
}

#[test]
fn a_list_of_ones_own_is_offered_in_its_order_or_in_the_clients() {
    let (first, second) = (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    );
    let list = format!("{first}:{second}");
    let reversed = format!("{second}:{first}");
    for (prefers, expected) in [("on", first), ("off", second)] {
        let gateway = node(&[
            ("ssl_cipher_suite", "custom"),
            ("ssl_ciphers", &list),
            ("ssl_prefer_server_ciphers", prefers),
        ]);
        let agreed = suite(&gateway, &["-tls1_2", "-cipher", &reversed]);
        assert_eq!(agreed.as_deref(), Some(expected));
        let other = suite(
            &gateway,
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
        );
        assert_eq!(other, None);
    }
}

#[test]
fn versions_are_those_of_the_setting() {
    let gateway = node(&[("ssl_protocols", "TLSv1.2")]);
    assert!(suite(&gateway, &["-tls1_2"]).is_some());
    assert_eq!(suite(&gateway, &["-tls1_3"]), None);
}

#[test]
fn sessions_are_resumed_by_ticket_or_cache_for_as_long_as_the_setting_says() {
    let folder = TempDir::new("sessions");
    let file = folder.path().join("session").display().to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        for (tickets, timeout, is_resumed) in [
            ("on", "1d", true),
            ("off", "1d", true),
            ("on", "0s", false),
            ("off", "0s", false),
        ] {
            let gateway = node(&[
                ("ssl_session_tickets", tickets),
                ("ssl_session_timeout", timeout),
            ]);
            let first = openssl(gateway.address(), &[version, "-sess_out", &file]);
            assert!(first.contains("\nNew, TLSv1."), "{first}");
            let second = openssl(gateway.address(), &[version, "-sess_in", &file]);
            let what = format!("{version}, tickets {tickets}, {timeout}: {second}");
            assert_eq!(second.contains("\nReused, TLSv1."), is_resumed, "{what}");
            assert!(second.contains("HTTP/1.1 200 OK"), "{what}");
        }
    }
}

#[test]
fn a_thousand_certificates_are_each_shown_to_who_asks_and_exchanged_under_traffic() {
    const COUNT: usize = 1000;
    let gateway = node(&[]);
    let change = |generation: usize| {
        let mut certificates = certificates(&gateway.authority);
        for number in 0..COUNT {
            let name = format!("host-{number}.generation-{generation}.test");
            let issued = gateway
                .authority
                .issue_server(&[&name])
                .expect("a certificate");
            let key = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
            let pair = CertifiedPair::new(key.expect("a pair"), None);
            certificates.insert(&name, Arc::new(pair));
        }
        let mut snapshot = crate::testing::snapshot("services: []");
        snapshot.certificates = Arc::new(certificates);
        gateway.snapshot.store(Arc::new(snapshot));
    };
    for generation in 0..2 {
        change(generation);
        for number in 0..COUNT {
            let name = format!("host-{number}.generation-{generation}.test");
            // The handshake fails unless the certificate is for that name.
            assert!(super::tls::answers(&gateway, &name), "{name}");
        }
        let gone = format!("host-0.generation-{}.test", 1 - generation);
        assert!(!super::tls::answers(&gateway, &gone), "{gone}");
    }
    assert!(gateway.handle.counters().handshake_failures <= 2);
    until(|| gateway.handle.counters().active == 0);
}
