//! The verifiers in real handshakes over sockets.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use gatehouse_pki::verifiers::{AnchoredServer, AnyClient, AnyServer, PinnedServer};
use gatehouse_pki::{
    Authority, CertificateVersion, CertifiedPair, Issued, PeerCertificate, Roots, certified_key,
    crypto_provider, gen_cluster_certificate,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

fn server(issued: &Issued, clients: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
    let key = certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes()).expect("key");
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&BOTH)
        .expect("versions")
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    Arc::new(config)
}

fn client(
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<&Issued>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[version])
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Arc::new(match identity {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let key = certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
            let resolver = SingleCertAndKey::from(key.expect("key"));
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
    })
}

/// What the server saw of the client's certificate, or why one of both ends gave up.
fn shake_hands(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    name: &str,
) -> Result<Option<PeerCertificate>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let accepting = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().map_err(|error| error.to_string())?;
        let mut tls = ServerConnection::new(server).map_err(|error| error.to_string())?;
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        let mut hello = [0; 5];
        stream
            .read_exact(&mut hello)
            .map_err(|error| format!("server: {error}"))?;
        stream
            .write_all(&hello)
            .map_err(|error| format!("server: {error}"))?;
        let peer = tls.peer_certificates().and_then(|chain| chain.first());
        Ok(peer.map(|der| PeerCertificate::from_der(der).expect("it was verified")))
    });
    let name = name.to_owned().try_into().expect("a server name");
    let mut socket = TcpStream::connect(address).expect("it listens");
    let mut tls = ClientConnection::new(client, name).expect("a client");
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    let mut answer = [0; 5];
    let said = stream
        .write_all(b"hello")
        .and_then(|()| stream.read_exact(&mut answer));
    drop(socket);
    let seen: Result<_, String> = accepting.join().expect("the server does not panic");
    said.map_err(|error| format!("client: {error}"))?;
    seen
}

fn cluster(version: CertificateVersion) -> Issued {
    gen_cluster_certificate(30, version).expect("it is made")
}

fn peer(issued: &Issued) -> PeerCertificate {
    PeerCertificate::from_pem(issued.cert_pem.as_bytes()).expect("it is read")
}

#[test]
fn shared_mode_joins_with_certificates_of_version_1_and_3() {
    for certificate in [CertificateVersion::V1, CertificateVersion::V3] {
        for version in BOTH {
            let shared = cluster(certificate);
            let server = server(&shared, Arc::new(AnyClient::required()));
            let pinned = Arc::new(PinnedServer::new(&peer(&shared)));
            let client = client(pinned, Some(&shared), version);
            let seen = shake_hands(server, client, "kong_clustering").expect("it joins");
            assert_eq!(
                seen.expect("a certificate").sha256(),
                peer(&shared).sha256()
            );
        }
    }
}

#[test]
fn a_server_with_another_certificate_than_the_pin_is_refused() {
    let (shared, other) = (
        cluster(CertificateVersion::V1),
        cluster(CertificateVersion::V1),
    );
    let server = server(&other, Arc::new(AnyClient::required()));
    let pinned = Arc::new(PinnedServer::new(&peer(&shared)));
    let client = client(pinned, Some(&shared), &rustls::version::TLS13);
    let refused = shake_hands(server, client, "kong_clustering").expect_err("it is refused");
    assert!(
        refused.contains("another certificate than `cluster_cert`"),
        "{refused}"
    );
}

/// A certificate of somebody else with a key of one's own: what a thief of public parts has.
fn stolen(version: &'static SupportedProtocolVersion, certificate: CertificateVersion) -> String {
    let (victim, thief) = (cluster(certificate), cluster(certificate));
    let chain = gatehouse_pki::certificates_from_pem(victim.cert_pem.as_bytes()).expect("a chain");
    let key = certified_key(thief.cert_pem.as_bytes(), thief.key_pem.as_bytes()).expect("a key");
    let forged = rustls::sign::CertifiedKey::new(chain, Arc::clone(&key.key));
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[version])
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedServer::new(&peer(&victim))));
    let resolver = SingleCertAndKey::from(forged);
    let client = Arc::new(builder.with_client_cert_resolver(Arc::new(resolver)));
    let server = server(&victim, Arc::new(AnyClient::optional()));
    shake_hands(server, client, "kong_clustering").expect_err("it is refused")
}

#[test]
fn a_certificate_without_its_key_lets_nobody_in() {
    for version in BOTH {
        for certificate in [CertificateVersion::V1, CertificateVersion::V3] {
            let refused = stolen(version, certificate);
            assert!(
                refused.contains("client:") || refused.contains("server:"),
                "{refused}"
            );
        }
    }
}

#[test]
fn a_server_that_nobody_verifies_may_present_anything_but_needs_its_key() {
    for version in BOTH {
        for certificate in [CertificateVersion::V1, CertificateVersion::V3] {
            let (own, thief) = (cluster(certificate), cluster(certificate));
            let client = client(Arc::new(AnyServer), None, version);
            let honest = server(&own, Arc::new(AnyClient::optional()));
            let seen = shake_hands(honest, Arc::clone(&client), "another.test");
            assert_eq!(seen, Ok(None));
            let forged = Issued {
                key_pem: thief.key_pem,
                ..own
            };
            let forged = forging_server(&forged);
            let refused = shake_hands(forged, client, "another.test").expect_err("no key");
            assert!(refused.contains("BadSignature"), "{refused}");
        }
    }
}

/// A server whose key is not that of its certificate.
fn forging_server(issued: &Issued) -> Arc<ServerConfig> {
    let chain = gatehouse_pki::certificates_from_pem(issued.cert_pem.as_bytes()).expect("a chain");
    let key = gatehouse_pki::private_key_from_pem(issued.key_pem.as_bytes()).expect("a key");
    let key = crypto_provider().key_provider.load_private_key(key);
    let forged = rustls::sign::CertifiedKey::new(chain, key.expect("it can sign"));
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&BOTH)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(forged)));
    Arc::new(config)
}

#[test]
fn certificates_beyond_the_depth_do_not_count() {
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        (params, rcgen::KeyPair::generate().expect("a key"))
    };
    let (root, root_key) = authority("root");
    let root_pem = root.self_signed(&root_key).expect("a root").pem();
    let root = rcgen::Issuer::new(root, root_key);
    let (between, between_key) = authority("between");
    let between_pem = between
        .signed_by(&between_key, &root)
        .expect("a certificate")
        .pem();
    let between = rcgen::Issuer::new(between, between_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = rcgen::CertificateParams::new(vec!["a.test".to_owned()])
        .expect("names")
        .signed_by(&key, &between)
        .expect("a certificate");
    let issued = Issued {
        cert_pem: format!("{}{between_pem}", leaf.pem()),
        key_pem: key.serialize_pem(),
    };
    let with_depth = |depth| {
        let roots = Roots::from_pem(root_pem.as_bytes()).expect("roots");
        let verifier = Arc::new(AnchoredServer::new(roots).with_depth(depth));
        let server = server(&issued, Arc::new(AnyClient::optional()));
        let client = client(verifier, None, &rustls::version::TLS13);
        shake_hands(server, client, "a.test")
    };
    assert_eq!(with_depth(1), Ok(None));
    assert_eq!(with_depth(9), Ok(None));
    let refused = with_depth(0).expect_err("nothing leads to the root");
    assert!(refused.contains("is not trusted"), "{refused}");
}

#[test]
fn a_client_without_certificate_is_let_in_only_where_it_is_optional() {
    let authority = Authority::create("test").expect("it is made");
    let issued = authority.issue_server(&["cp.test"]).expect("it is issued");
    let roots = Roots::from_pem(authority.ca_pem().as_bytes()).expect("roots");
    for version in BOTH {
        let optional = server(&issued, Arc::new(AnyClient::optional()));
        let anchored = Arc::new(AnchoredServer::new(roots.clone()));
        let nobody = client(anchored, None, version);
        assert_eq!(
            shake_hands(optional, Arc::clone(&nobody), "cp.test"),
            Ok(None)
        );
        let required = server(&issued, Arc::new(AnyClient::required()));
        shake_hands(required, nobody, "cp.test").expect_err("it is refused");
    }
}

fn against(issued: &Issued, roots: Roots, name: &str) -> Result<(), String> {
    let server = server(issued, Arc::new(AnyClient::optional()));
    let client = client(
        Arc::new(AnchoredServer::new(roots)),
        None,
        &rustls::version::TLS13,
    );
    shake_hands(server, client, name).map(|_| ())
}

#[test]
fn pki_mode_verifies_chain_and_name() {
    let authority = Authority::create("test").expect("it is made");
    let issued = authority
        .issue_server(&["cp.test", "*.us.cp0.test"])
        .expect("it is issued");
    let roots = || Roots::from_pem(authority.ca_pem().as_bytes()).expect("roots");
    assert_eq!(against(&issued, roots(), "cp.test"), Ok(()));
    assert_eq!(against(&issued, roots(), "prefix.us.cp0.test"), Ok(()));
    let other_name = against(&issued, roots(), "a.b.us.cp0.test").expect_err("another name");
    assert!(other_name.contains("not valid for name"), "{other_name}");
    let stranger = Authority::create("stranger").expect("it is made");
    let strangers = Roots::from_pem(stranger.ca_pem().as_bytes()).expect("roots");
    let unknown = against(&issued, strangers, "cp.test").expect_err("an unknown issuer");
    assert!(
        unknown.contains("is not trusted; add its authority"),
        "{unknown}"
    );
    against(&issued, Roots::empty(), "cp.test").expect_err("nobody is trusted");
    let mut expired = Roots::from_pem(expired_authority("stranger").as_bytes()).expect("roots");
    expired
        .add_pem(stranger.ca_pem().as_bytes())
        .expect("roots");
    let unknown = against(&issued, expired, "cp.test").expect_err("an unknown issuer");
    assert!(unknown.contains("add its authority"), "{unknown}");
}

/// An authority that ended in 2021, with the name that [`Authority`] gives.
fn expired_authority(name: &str) -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let organisation = rcgen::DnType::OrganizationName;
    params.distinguished_name.push(organisation, "Gatehouse");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    params.self_signed(&key).expect("a certificate").pem()
}

#[test]
fn an_expired_authority_is_named_as_such() {
    let authority = Authority::create("test").expect("it is made");
    let issued = authority.issue_server(&["cp.test"]).expect("it is issued");
    let roots = Roots::from_pem(expired_authority("test").as_bytes()).expect("roots");
    let refused = against(&issued, roots, "cp.test").expect_err("it has ended");
    assert!(refused.contains("outside its validity"), "{refused}");
}

#[test]
fn an_authority_taken_up_again_issues_for_the_same_anchor() {
    let authority = Authority::create("test").expect("it is made");
    let again = Authority::load(authority.ca_pem(), authority.key_pem()).expect("it is read");
    let issued = again.issue_server(&["cp.test"]).expect("it is issued");
    let roots = Roots::from_pem(authority.ca_pem().as_bytes()).expect("roots");
    assert_eq!(against(&issued, roots, "cp.test"), Ok(()));
    let other = Authority::create("other").expect("it is made");
    Authority::load(authority.ca_pem(), other.key_pem()).expect_err("they do not fit");
}

#[test]
fn a_pair_of_kinds_gives_each_client_what_it_can_verify() {
    let ecdsa = cluster(CertificateVersion::V3);
    let ecdsa = certified_key(ecdsa.cert_pem.as_bytes(), ecdsa.key_pem.as_bytes()).expect("key");
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("an RSA key");
    let cert = rcgen::CertificateParams::new(vec!["a.test".to_owned()])
        .expect("names")
        .self_signed(&key)
        .expect("a certificate");
    let rsa = certified_key(cert.pem().as_bytes(), key.serialize_pem().as_bytes()).expect("key");
    let pair = CertifiedPair::new(Arc::clone(&rsa), Some(Arc::clone(&ecdsa)));
    use rustls::SignatureScheme as S;
    assert!(Arc::ptr_eq(pair.choose(&[S::RSA_PSS_SHA256]), &rsa));
    assert!(Arc::ptr_eq(
        pair.choose(&[S::ECDSA_NISTP384_SHA384]),
        &ecdsa
    ));
    assert!(Arc::ptr_eq(
        pair.choose(&[S::RSA_PSS_SHA256, S::ECDSA_NISTP384_SHA384]),
        &ecdsa
    ));
    assert!(Arc::ptr_eq(pair.choose(&[]), &rsa));
}
