//! Settings that are paths, PEM or base64; keys that do not fit; sealing.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse_pki::{
    Authority, CertificateVersion, Error, PeerCertificate, Sealer, certificate_to_pem,
    certificates_from_pem, certified_key, gen_cluster_certificate, pem_or_path_or_base64,
    private_key_from_pem,
};
use test_support::TempDir;

fn pem() -> String {
    let issued = gen_cluster_certificate(10, CertificateVersion::V1).expect("it is made");
    issued.cert_pem
}

#[test]
fn a_setting_may_be_a_path_pem_or_base64_of_pem() {
    let folder = TempDir::new("pki");
    let pem = pem();
    let path = folder.join("cluster.crt");
    std::fs::write(&path, &pem).expect("it is written");
    let path = path.to_str().expect("a path of text").to_owned();
    let one_line = pem.trim().replace('\n', "\\n");
    for value in [pem.clone(), path, STANDARD.encode(&pem), one_line] {
        let read = pem_or_path_or_base64(&value).expect("it is resolved");
        let found = certificates_from_pem(&read).expect("it is a certificate");
        assert_eq!(
            found,
            certificates_from_pem(pem.as_bytes()).expect("it is read")
        );
    }
}

#[test]
fn a_setting_that_is_none_of_these_is_refused_and_shortened() {
    let long = "x".repeat(500);
    for value in ["", "/no/such/file", "bm8gcGVt", long.as_str()] {
        let error = pem_or_path_or_base64(value).expect_err("it is refused");
        assert!(matches!(error, Error::NotPem { .. }), "{error}");
        assert!(error.to_string().len() < 200, "{error}");
    }
}

#[test]
fn text_without_the_item_wanted_is_refused() {
    let issued = gen_cluster_certificate(10, CertificateVersion::V3).expect("it is made");
    let no_certificate = certificates_from_pem(issued.key_pem.as_bytes());
    assert!(matches!(
        no_certificate,
        Err(Error::Pem {
            wanted: "certificate",
            ..
        })
    ));
    let no_key = private_key_from_pem(issued.cert_pem.as_bytes());
    assert!(matches!(
        no_key,
        Err(Error::Pem {
            wanted: "private key",
            ..
        })
    ));
    let damaged = issued.cert_pem.replacen('M', "!", 1);
    certificates_from_pem(damaged.as_bytes()).expect_err("it is damaged");
    certificates_from_pem(b"").expect_err("it is empty");
}

#[test]
fn a_key_of_another_certificate_is_refused_for_both_versions() {
    for version in [CertificateVersion::V1, CertificateVersion::V3] {
        let one = gen_cluster_certificate(10, version).expect("it is made");
        let other = gen_cluster_certificate(10, version).expect("it is made");
        certified_key(one.cert_pem.as_bytes(), one.key_pem.as_bytes()).expect("they fit");
        let mixed = certified_key(one.cert_pem.as_bytes(), other.key_pem.as_bytes());
        assert!(matches!(mixed, Err(Error::Key(_))), "{mixed:?}");
    }
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let der = certificates_from_pem(pem().as_bytes())
        .expect("it is read")
        .remove(0);
    let mut longer = der.to_vec();
    longer.push(0);
    for bytes in [&b""[..], b"0", &der[..der.len() - 1], &longer] {
        PeerCertificate::from_der(bytes).expect_err("it is refused");
    }
    let again = certificate_to_pem(&der);
    assert_eq!(
        PeerCertificate::from_pem(again.as_bytes())
            .expect("it is read")
            .version(),
        1
    );
}

#[test]
fn validity_is_told_to_the_second() {
    let peer = PeerCertificate::from_pem(pem().as_bytes()).expect("it is read");
    let (start, end) = (peer.not_before(), peer.not_after());
    assert_eq!(end - start, 10 * 86_400);
    let at = |seconds: i64| peer.is_valid_at(u64::try_from(seconds).expect("after 1970"));
    assert!(at(start) && at(end));
    assert!(!at(start - 1) && !at(end + 1));
}

#[test]
fn days_outside_the_possible_and_empty_names_are_refused() {
    gen_cluster_certificate(0, CertificateVersion::V1).expect_err("no days");
    gen_cluster_certificate(40_000, CertificateVersion::V1).expect_err("too many days");
    let authority = Authority::create("test").expect("it is made");
    authority.issue_server::<&str>(&[]).expect_err("no names");
    authority.issue_server(&["ü"]).expect_err("not a name");
}

#[test]
fn nothing_that_holds_a_key_prints_it() {
    let authority = Authority::create("test").expect("it is made");
    let issued = authority.issue_client("node").expect("it is issued");
    let sealer = Sealer::from_key(&[7; 32]).expect("it is a key");
    for text in [
        format!("{authority:?}"),
        format!("{issued:?}"),
        format!("{sealer:?}"),
    ] {
        assert!(
            !text.contains("PRIVATE KEY") && !text.contains("[7, 7"),
            "{text}"
        );
    }
}

#[test]
fn sealed_bytes_open_with_the_same_key_and_context_only() {
    let folder = TempDir::new("pki");
    let path = folder.join("seal.key");
    let sealer = Sealer::create(&path).expect("it is made");
    let sealed = sealer.seal(b"secret", b"row 1").expect("it is sealed");
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    assert_eq!(sealer.open(&sealed, b"row 1").expect("it opens"), b"secret");
    let again = Sealer::load(&path).expect("it is read");
    assert_eq!(again.open(&sealed, b"row 1").expect("it opens"), b"secret");
    assert!(matches!(sealer.open(&sealed, b"row 2"), Err(Error::Sealed)));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(
            matches!(sealer.open(&changed, b"row 1"), Err(Error::Sealed)),
            "byte {at}"
        );
    }
    for length in 0..sealed.len() {
        assert!(
            sealer.open(&sealed[..length], b"row 1").is_err(),
            "{length} bytes"
        );
    }
    let other = Sealer::from_key(&[1; 32]).expect("it is a key");
    assert!(matches!(other.open(&sealed, b"row 1"), Err(Error::Sealed)));
    assert_ne!(
        sealed,
        sealer.seal(b"secret", b"row 1").expect("it is sealed")
    );
}

#[test]
fn a_sealing_key_is_private_and_never_overwritten() {
    let folder = TempDir::new("pki");
    let path = folder.join("seal.key");
    Sealer::create(&path).expect("it is made");
    let mode = std::fs::metadata(&path)
        .expect("it exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&path).expect("it is read");
    Sealer::create(&path).expect_err("it exists");
    assert_eq!(std::fs::read(&path).expect("it is read"), before);
    Sealer::open_or_create(&path).expect("it is taken up");
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("it is listed")
            .count(),
        1
    );
    std::fs::write(&path, b"short").expect("it is written");
    assert!(matches!(
        Sealer::load(&path),
        Err(Error::SealingKey { length: 5, .. })
    ));
}
