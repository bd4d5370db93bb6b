//! One port, many names.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

/// Notes whether the server asked for a certificate; has none.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(
        &self,
        _: &[&[u8]],
        _: &[SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        self.0.store(true, Ordering::SeqCst);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn shake_hands(
    fixture: &Fixture,
    name: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (TlsStream<TcpStream>, bool) {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(fixture.ca.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let asked = Arc::new(Asked::default());
    let mut config = ClientConfig::builder_with_provider(pki::crypto_provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(asked.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", fixture.port))
        .await
        .unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let was_asked = asked.0.load(Ordering::SeqCst);
    (stream, was_asked)
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test]
async fn each_name_serves_what_it_is_for() {
    let fixture = Fixture::start().await;
    let status = async |url: String| fixture.client().get(&url).await.unwrap().status;
    let at = |host: &str, path: &str| format!("https://{host}:{}{path}", fixture.port);

    for (name, path, expected) in [
        ("cloud", "/", 200),
        ("cloud", "/v2/control-planes", 404),
        ("global.api", "/v2/organizations/me", 200),
        ("global.api", "/v3/organizations/me", 200),
        ("global.api", "/v3/users/me", 200),
        ("global.api", "/v3/available-regions", 200),
        ("global.api", "/openapi.json", 200),
        ("global.api", "/v2/control-planes", 404),
        ("us.api", "/v2/control-planes", 200),
        ("us.api", "/v2/control-planes/", 200),
        ("eu.api", "/v2/control-planes", 200),
        ("us.api", "/openapi.json", 200),
        ("us.api", "/", 404),
        ("us.kic.api", "/kic/api/control-planes", 404),
        ("us.kic.api", "/openapi.json", 200),
        ("some-portal.us.portal", "/", 501),
        ("us.mesh.sync", "/", 501),
        ("ip-addresses.origin", "/ip-addresses.json", 501),
        ("us.svc", "/", 404),
    ] {
        assert_eq!(
            status(fixture.url(name, path)).await,
            expected,
            "{name}{path}"
        );
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for (path, expected) in [
            ("/", 200),
            ("/v2/control-planes", 200),
            ("/v3/organizations/me", 200),
            ("/openapi.json", 200),
            ("/nothing", 404),
        ] {
            assert_eq!(status(at(host, path)).await, expected, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn each_geo_has_its_own_control_planes() {
    let fixture = Fixture::start().await;
    fixture
        .create("/v2/control-planes", json!({"name": "only-us"}))
        .await;

    let other = fixture
        .client()
        .get(&fixture.url("eu.api", &fixture.plane("")))
        .await
        .unwrap();
    let list = fixture
        .client()
        .get(&fixture.url("eu.api", "/v2/control-planes"))
        .await
        .unwrap();

    assert_problem(&other, 404, "Not Found");
    assert_eq!(
        list.json()["meta"]["page"]["total"],
        1,
        "the default one of that geo"
    );
}

#[tokio::test]
async fn page_for_people_names_hosts_and_links_descriptions() {
    let fixture = Fixture::start().await;

    let page = fixture
        .stranger()
        .get(&fixture.url("cloud", "/"))
        .await
        .unwrap();

    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.header("content-security-policy").is_some());
    let text = page.text();
    for link in ["global.api", "us.api", "eu.api"] {
        let url = fixture.url(link, "/openapi.json");
        assert!(text.contains(&format!("href=\"{url}\"")), "{url}");
    }
    assert!(!text.contains(&fixture.default.prefix));
}

#[tokio::test]
async fn description_lists_exactly_what_the_tables_serve() {
    let fixture = Fixture::start().await;

    let document = fixture.get("/openapi.json").await.json();

    assert_eq!(document["openapi"], "3.1.0");
    let described = document["paths"].as_object().unwrap();
    let operations = crate::api::geo_operations(fixture.geo.entities.catalogue());
    for operation in &operations {
        let method = operation.method.to_ascii_lowercase();
        assert!(
            described[&operation.path][&method].is_object(),
            "{operation:?}"
        );
    }
    let count: usize = described
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert_eq!(count, operations.len());
    let schema = &document["components"]["schemas"]["services"];
    assert_eq!(schema["properties"]["port"]["default"], 80, "{schema}");
}

#[tokio::test]
async fn unknown_names_get_patterns_and_never_a_prefix() {
    let fixture = Fixture::start().await;
    for (server_name, host) in [
        ("localhost", "nothing.example.org"),
        ("us.api.konghq.localhost", "konghq.localhost"),
        ("us.api.konghq.localhost", "au.api.konghq.localhost"),
        ("us.api.konghq.localhost", "example.org"),
    ] {
        let url = format!("https://{server_name}:{}/v2/control-planes", fixture.port);
        let client = fixture.client();
        let answer = client
            .send("GET", &url, &[("host", host)], Bytes::new())
            .await
            .unwrap();

        assert_problem(&answer, 404, "Not Found");
        let names = answer.json()["names"].to_string();
        assert!(
            names.contains("{prefix}.{us|eu}.cp0.konghq.localhost"),
            "{names}"
        );
        assert!(!answer.text().contains(&fixture.default.prefix));
    }
}

#[tokio::test]
async fn host_of_another_class_than_the_server_name_is_misdirected() {
    let fixture = Fixture::start().await;
    let prefix = &fixture.default.prefix;
    let node = format!("{prefix}.us.cp0");
    for (server_name, host) in [
        ("cloud", "us.api.konghq.localhost"),
        ("us.api", "eu.api.konghq.localhost"),
        ("us.api", "global.api.konghq.localhost"),
        (&node, "us.api.konghq.localhost"),
        ("us.api", &format!("{node}.konghq.localhost")),
        ("us.api", "127.0.0.1"),
    ] {
        let url = fixture.url(server_name, "/v2/control-planes");
        let client = fixture.client();
        let answer = client
            .send("GET", &url, &[("host", host)], Bytes::new())
            .await
            .unwrap();
        assert_problem(&answer, 421, "Misdirected Request");
    }
}

#[tokio::test]
async fn certificates_are_asked_for_only_under_names_that_need_them() {
    let fixture = Fixture::start().await;
    for (name, expected) in [
        ("cloud.konghq.localhost", false),
        ("global.api.konghq.localhost", false),
        ("us.api.konghq.localhost", false),
        ("p.us.portal.konghq.localhost", false),
        ("us.mesh.sync.konghq.localhost", false),
        ("ip-addresses.origin.konghq.localhost", false),
        ("0123456789.us.cp0.konghq.localhost", true),
        ("0123456789.us.cp.konghq.localhost", true),
        ("0123456789.us.tp0.konghq.localhost", true),
        ("0123456789.eu.tp.konghq.localhost", true),
        ("us.kic.api.konghq.localhost", true),
        ("us.svc.konghq.localhost", true),
    ] {
        for version in BOTH {
            let (_, was_asked) = shake_hands(&fixture, name, &[*version]).await;
            assert_eq!(was_asked, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let fixture = Fixture::start().await;
    let name = "us.api.konghq.localhost";
    for (version, expected) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let (stream, _) = shake_hands(&fixture, name, &[version]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    }
    let node = "0123456789.us.cp0.konghq.localhost";
    let (stream, _) = shake_hands(&fixture, node, BOTH).await;
    assert_eq!(
        stream.get_ref().1.alpn_protocol(),
        Some(b"http/1.1".as_slice())
    );

    let url = fixture.url("us.api", "/v2/control-planes");
    let answer = fixture.client().http2().get(&url).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn unknown_prefix_cannot_be_told_from_a_known_one() {
    let fixture = Fixture::start().await;
    let identity = test_support::TestAuthority::new("stranger").client("stranger");
    for client in [fixture.stranger(), fixture.stranger().identified(&identity)] {
        for path in [
            "/v1/outlet?node_id=4d0a9a0b-90dd-4f0e-9a9a-1a2b3c4d5e6f&node_version=3.9.1",
            "/v1/outlet",
            "/v2/outlet",
            "/v1/wrpc",
            "/",
        ] {
            let mut seen = Vec::new();
            for prefix in [fixture.default.prefix.as_str(), "0123456789", "x"] {
                let url = fixture.url(&format!("{prefix}.us.cp0"), path);
                let headers = [
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("sec-websocket-version", "13"),
                    ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
                ];
                let answer = client
                    .send("GET", &url, &headers, Bytes::new())
                    .await
                    .unwrap();
                seen.push((answer.status, answer.body));
            }
            assert_eq!(seen[0], seen[1], "{path}");
            assert_eq!(seen[0], seen[2], "{path}");
        }
    }
}

#[tokio::test]
async fn requests_with_no_host_or_two_are_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let fixture = Fixture::start().await;
    let name = "us.api.konghq.localhost";
    for hosts in [
        "",
        "Host: us.api.konghq.localhost\r\nHost: cloud.konghq.localhost\r\n",
        "Host: a:b\r\n",
    ] {
        let stream = TcpStream::connect(("127.0.0.1", fixture.port))
            .await
            .unwrap();
        let mut stream = fixture.client().shake_hands(stream, name).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{hosts}");
    }
}
