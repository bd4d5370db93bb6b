//! Certificates from a real authority: Pebble asks the gateway for its proofs.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use conf::{Listen, Settings, Trust};
use pki::PeerCertificate;
use pki::verifiers::AnyServer;
use plugin_api::NodeInfo;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;
use test_support::{Pebble, free_port};
use uuid::Uuid;

use super::support::*;
use crate::snapshot::{Compile, Snapshot};

/// Where the proofs are asked for, and a gateway that obtains certificates.
struct Scene {
    gateway: Gateway,
    plain: SocketAddr,
}

fn settings_at(port: u16, pebble: &Pebble) -> Settings {
    let mut settings = settings();
    let (plain, tls) = (format!("127.0.0.1:{port}"), "127.0.0.1:0");
    settings.proxy_listen = vec![
        Listen::plain(plain.parse().expect("an address")),
        Listen {
            ssl: true,
            ..Listen::plain(tls.parse().expect("an address"))
        },
    ];
    settings.lua_ssl_trusted_certificate = vec![Trust::Bundle(pebble.trusted().to_owned())];
    settings
}

impl Scene {
    fn new(port: u16, pebble: &Pebble, config: &str) -> Self {
        let settings = settings_at(port, pebble);
        let node = NodeInfo::new(Uuid::nil(), "test");
        let compile = Compile::new(&settings, node, None).expect("a compiler");
        let yaml = format!(
            "services:\n- name: s\n  url: http://127.0.0.1:1\n  routes:\n  - {{name: r, paths: [/]}}\n\
             plugins:\n- name: acme\n  config: {{account_email: a@b.test, api_uri: \"{}\", {config}}}\n",
            pebble.directory()
        );
        let hash = "0123456789abcdef0123456789abcdef";
        let snapshot = Snapshot::compile(&crate::testing::config(&yaml), hash, &compile);
        let snapshot = snapshot.expect("it compiles");
        let gateway = gateway_of(&settings, snapshot);
        let plain = gateway.handle.addresses()[0];
        Self { gateway, plain }
    }

    /// The certificate that a client is shown who asks for a name.
    fn shown(&self, name: &str) -> PeerCertificate {
        let config = ClientConfig::builder_with_provider(pki::crypto_provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer))
            .with_no_client_auth();
        let server = ServerName::try_from(name.to_owned()).expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), server).expect("a session");
        let address = self.gateway.handle.addresses()[1];
        let mut stream = TcpStream::connect(address).expect("a connection");
        while session.is_handshaking() {
            session.complete_io(&mut stream).expect("a handshake");
        }
        let chain = session.peer_certificates().expect("certificates");
        PeerCertificate::from_der(&chain[0]).expect("a certificate")
    }

    /// The same, once it is Pebble's.
    fn obtained(&self, name: &str) -> PeerCertificate {
        let mut found = None;
        until(|| {
            let shown = self.shown(name);
            let is_there = shown.issuer().contains("Pebble");
            found = is_there.then_some(shown);
            is_there
        });
        found.expect("a certificate")
    }

    fn ask(&self, host: &str, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        Client::connect(self.plain).ask(request)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_asked_for_gets_a_certificate_and_others_do_not() {
    let port = free_port();
    let pebble = Pebble::start(port, None).await;
    pebble.knows("one.acme.test");
    pebble.knows("two.acme.test");
    let config = "domains: [one.acme.test, \"*.acme.test\"], cert_type: ecc";
    let scene = Scene::new(port, &pebble, config);
    assert!(!scene.shown("one.acme.test").issuer().contains("Pebble"));
    for name in ["one.acme.test", "two.acme.test"] {
        let shown = scene.obtained(name);
        assert_eq!(shown.dns_names(), [name], "{}", pebble.output());
    }
    // A certificate of its own is not touched, and a name that is not allowed gets the node's.
    assert!(!scene.shown("named.test").issuer().contains("Pebble"));
    assert!(!scene.shown("three.test").issuer().contains("Pebble"));
    let answer = scene.ask("one.acme.test", "/.well-known/acme-challenge/unknown");
    assert!(
        answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\nNot found\n"),
        "{answer}"
    );
    // Whoever is not allowed goes on to the service, which is away.
    let answer = scene.ask("three.test", "/.well-known/acme-challenge/unknown");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_be_bound_to_one_outside_and_keys_may_be_rsa() {
    let port = free_port();
    let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let pebble = Pebble::start(port, Some(("kid-1", secret))).await;
    pebble.knows("bound.acme.test");
    let config = format!(
        "allow_any_domain: true, rsa_key_size: 2048, eab_kid: kid-1, eab_hmac_key: {secret}"
    );
    let scene = Scene::new(port, &pebble, &config);
    let shown = scene.obtained("bound.acme.test");
    assert_eq!(shown.dns_names(), ["bound.acme.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_elsewhere_keeps_the_certificate_of_the_node() {
    let port = free_port();
    let pebble = Pebble::start(port, None).await;
    let scene = Scene::new(port, &pebble, "allow_any_domain: true, cert_type: ecc");
    scene.shown("lost.acme.test");
    until(|| pebble.output().contains("lost.acme.test"));
    assert!(!scene.shown("lost.acme.test").issuer().contains("Pebble"));
}
