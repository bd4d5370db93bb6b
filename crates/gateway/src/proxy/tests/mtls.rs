//! Services that demand a certificate of the gateway, over HTTP/1.1, HTTP/2 and layer 4, and
//! services that cannot prove who they are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use conf::Listen;
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use test_support::{Identity, TestAuthority};

use super::support::*;

const SERVICES: &str = "33333333-3333-4333-8333-333333333333";
const CLIENTS: &str = "44444444-4444-4444-8444-444444444444";

/// A service that serves whom an authority vouches for.
struct Strict {
    address: SocketAddr,
    /// Vouches for its clients.
    clients: TestAuthority,
    /// Vouches for itself.
    services: TestAuthority,
}

pub(super) fn server_config(own: &Identity, clients: &TestAuthority, alpn: &[u8]) -> ServerConfig {
    let roots = pki::Roots::from_pem(clients.pem().as_bytes()).expect("roots");
    let verifier = WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots.to_store()),
        pki::crypto_provider(),
    );
    let key = pki::certified_key(own.certificate.as_bytes(), own.key.as_bytes()).expect("a pair");
    let key = Arc::into_inner(key).expect("one owner");
    let mut config = ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    config.alpn_protocols.push(alpn.to_vec());
    config
}

impl Strict {
    /// Speaks HTTP/1.1 to whoever passes, whatever else they speak.
    fn start() -> Self {
        let (clients, services) = (
            TestAuthority::new("clients"),
            TestAuthority::new("services"),
        );
        let own = services.server(&["127.0.0.1"]);
        let config = Arc::new(server_config(&own, &clients, b"http/1.1"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
                std::thread::spawn(move || converse(StreamOwned::new(session, stream)));
            }
        });
        Self {
            address,
            clients,
            services,
        }
    }
}

fn converse(mut stream: StreamOwned<ServerConnection, TcpStream>) -> Option<()> {
    let mut pending = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        pending.extend_from_slice(&piece[..count]);
        if pending.ends_with(b"\r\n\r\n") {
            pending.clear();
            stream.write_all(&ok("served")).ok()?;
        }
    }
}

/// A configuration: a service with these members, and what its certificates are.
pub(super) struct Setting<'a> {
    pub(super) url: String,
    pub(super) protocols: &'a str,
    pub(super) service: Value,
    pub(super) upstream: Value,
    /// What is shown to services, as certificate `CLIENTS`.
    pub(super) identity: Option<&'a Identity>,
    /// Who vouches for services, as authority `SERVICES`.
    pub(super) authority: &'a str,
}

impl Setting<'_> {
    pub(super) fn snapshot(&self) -> crate::snapshot::Snapshot {
        let mut route =
            json!({"name": "r", "protocols": self.protocols.split(' ').collect::<Vec<_>>()});
        match self.protocols {
            "tcp" => route["sources"] = json!([{"ip": "127.0.0.0/8"}]),
            _ => route["paths"] = json!(["/"]),
        }
        let mut service = json!({"name": "s", "url": self.url, "routes": [route], "retries": 1});
        for (name, value) in self.service.as_object().into_iter().flatten() {
            service[name] = value.clone();
        }
        let certificates: Vec<Value> = self
            .identity
            .into_iter()
            .map(|own| json!({"id": CLIENTS, "cert": own.certificate, "key": own.key}))
            .collect();
        let authorities = json!([{"id": SERVICES, "cert": self.authority}]);
        let upstreams: Vec<&Value> = Some(&self.upstream)
            .filter(|one| !one.is_null())
            .into_iter()
            .collect();
        let text = format!(
            "services: [{service}]\ncertificates: {}\nca_certificates: {authorities}\nupstreams: {}\n",
            json!(certificates),
            json!(upstreams),
        );
        crate::testing::snapshot(&text)
    }
}

fn shows_certificate() -> Value {
    json!({"client_certificate": {"id": CLIENTS}})
}

fn verifies() -> Value {
    json!({"tls_verify": true, "ca_certificates": [SERVICES]})
}

fn verifies_and_shows(identity: Option<&Identity>) -> Value {
    let mut service = verifies();
    if identity.is_some() {
        service["client_certificate"] = json!({"id": CLIENTS});
    }
    service
}

/// What a client gets that asks for `/`.
fn asked(snapshot: crate::snapshot::Snapshot) -> String {
    gateway_of(&settings(), snapshot).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn is_bad_gateway(answer: &str) -> bool {
    let text = "An invalid response was received from the upstream server";
    answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n") && answer.contains(text)
}

#[test]
fn a_service_that_demands_a_certificate_gets_the_one_of_the_service_or_of_its_upstream() {
    let strict = Strict::start();
    let identity = strict.clients.client("gateway");
    let of_service = Setting {
        url: format!("https://{}", strict.address),
        protocols: "http https",
        service: shows_certificate(),
        upstream: Value::Null,
        identity: Some(&identity),
        authority: strict.services.pem(),
    };
    let answer = asked(of_service.snapshot());
    assert!(answer.ends_with("served"), "{answer}");
    let target = json!({"target": strict.address.to_string()});
    let of_upstream = Setting {
        url: "https://group".to_owned(),
        service: json!({}),
        upstream: json!({"name": "group", "targets": [target], "client_certificate": {"id": CLIENTS}}),
        ..of_service
    };
    let answer = asked(of_upstream.snapshot());
    assert!(answer.ends_with("served"), "{answer}");
}

#[test]
fn without_a_certificate_and_with_a_wrong_or_expired_one_the_answer_is_a_bad_gateway() {
    let strict = Strict::start();
    let wrong = TestAuthority::new("others").client("gateway");
    let expired = strict.clients.expired_client("gateway");
    for identity in [None, Some(&wrong), Some(&expired)] {
        let setting = Setting {
            url: format!("https://{}", strict.address),
            protocols: "http https",
            service: identity.map_or(json!({}), |_| shows_certificate()),
            upstream: Value::Null,
            identity,
            authority: strict.services.pem(),
        };
        let answer = asked(setting.snapshot());
        assert!(is_bad_gateway(&answer), "{answer}");
    }
}

#[test]
fn a_service_is_verified_where_that_is_asked_for_against_the_authorities_named() {
    let strict = Strict::start();
    let identity = strict.clients.client("gateway");
    let others = TestAuthority::new("others");
    let both = |mut service: Value| {
        service["client_certificate"] = json!({"id": CLIENTS});
        service
    };
    for (service, authority, is_served) in [
        (verifies(), strict.services.pem(), true),
        (verifies(), others.pem(), false),
        // Its own authority is not among those that the node trusts.
        (json!({"tls_verify": true}), strict.services.pem(), false),
        (json!({"tls_verify": false}), others.pem(), true),
        (json!({}), others.pem(), true),
    ] {
        let setting = Setting {
            url: format!("https://{}", strict.address),
            protocols: "http https",
            service: both(service.clone()),
            upstream: Value::Null,
            identity: Some(&identity),
            authority,
        };
        let answer = asked(setting.snapshot());
        assert_eq!(answer.ends_with("served"), is_served, "{service}: {answer}");
        assert_eq!(is_bad_gateway(&answer), !is_served, "{service}: {answer}");
    }
}

#[test]
fn connections_with_and_without_a_certificate_are_not_mixed() {
    let strict = Strict::start();
    let identity = strict.clients.client("gateway");
    let setting = |service: Value| Setting {
        url: format!("https://{}", strict.address),
        protocols: "http https",
        service,
        upstream: Value::Null,
        identity: Some(&identity),
        authority: strict.services.pem(),
    };
    let gateway = gateway_of(&settings(), setting(shows_certificate()).snapshot());
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(gateway.ask(request).ends_with("served"));
    // The connection that is kept was made with the certificate.
    gateway
        .snapshot
        .store(Arc::new(setting(json!({})).snapshot()));
    let answer = gateway.ask(request);
    assert!(is_bad_gateway(&answer), "{answer}");
}

#[test]
fn streams_are_passed_on_with_the_certificate_and_end_without_it() {
    let strict = Strict::start();
    let right = strict.clients.client("gateway");
    let expired = strict.clients.expired_client("gateway");
    for (identity, is_served) in [(Some(&right), true), (Some(&expired), false), (None, false)] {
        let mut settings = settings();
        settings.stream_listen = std::mem::take(&mut settings.proxy_listen);
        let setting = Setting {
            url: format!("tls://{}", strict.address),
            protocols: "tcp",
            service: verifies_and_shows(identity),
            upstream: Value::Null,
            identity,
            authority: strict.services.pem(),
        };
        let gateway = gateway_of(&settings, setting.snapshot());
        let mut client = Client::connect(gateway.handle.stream_addresses()[0]);
        client.send("GET / HTTP/1.1\r\n\r\n");
        let begun = if is_served {
            client.answer().into_bytes()
        } else {
            client.rest()
        };
        assert_eq!(begun.ends_with(b"served"), is_served);
    }
}

/// Settings with a listener for HTTP/2 in clear.
pub(super) fn http2_settings() -> conf::Settings {
    let mut settings = settings();
    settings.proxy_listen = vec![Listen {
        http2: true,
        ..Listen::plain("127.0.0.1:0".parse().expect("an address"))
    }];
    settings
}

/// The configuration of a service of gRPC that is shown this certificate.
///
/// Compat: services of `grpcs` cannot name one themselves; their upstream can.
pub(super) fn grpcs(
    address: SocketAddr,
    identity: Option<&Identity>,
    authority: &str,
) -> crate::snapshot::Snapshot {
    let mut upstream = json!({"name": "group", "targets": [{"target": address.to_string()}]});
    if identity.is_some() {
        upstream["client_certificate"] = json!({"id": CLIENTS});
    }
    let setting = Setting {
        url: "grpcs://group".to_owned(),
        protocols: "grpc grpcs",
        service: json!({}),
        upstream,
        identity,
        authority,
    };
    setting.snapshot()
}
