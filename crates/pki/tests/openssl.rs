//! Certificates made by `openssl`, and ours read by it. Skipped where the command is missing.

use std::path::Path;
use std::process::Command;

use gatehouse_pki::{
    Authority, CertificateVersion, ChainError, PeerCertificate, Purpose, certificates_from_pem,
    certified_key, chain_verifies_to, gen_cluster_certificate, verify_chain,
};
use test_support::TempDir;

/// Runs openssl in `folder`; `None` where the command is not installed.
fn openssl(folder: &Path, arguments: &str) -> Option<String> {
    let words = arguments.split_ascii_whitespace();
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(words)
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {errors}");
    Some(String::from_utf8(output.stdout).expect("openssl prints text"))
}

#[test]
fn openssl_reads_the_cluster_certificate_as_version_1() {
    let folder = TempDir::new("pki");
    let issued = gen_cluster_certificate(1095, CertificateVersion::V1).expect("it is made");
    std::fs::write(folder.join("cluster.crt"), &issued.cert_pem).expect("it is written");
    std::fs::write(folder.join("cluster.key"), &issued.key_pem).expect("it is written");
    let Some(text) = openssl(folder.path(), "x509 -in cluster.crt -noout -text") else {
        return;
    };
    assert!(text.contains("Version: 1 (0x0)"), "{text}");
    assert!(text.contains("Subject: CN = kong_clustering"), "{text}");
    assert!(text.contains("Issuer: CN = kong_clustering"), "{text}");
    assert!(text.contains("ASN1 OID: secp384r1"), "{text}");
    assert!(text.contains("ecdsa-with-SHA384"), "{text}");
    assert!(!text.contains("X509v3 extensions"), "{text}");
    // The signature is its own.
    let verified = openssl(folder.path(), "verify -CAfile cluster.crt cluster.crt");
    assert_eq!(verified.as_deref(), Some("cluster.crt: OK\n"));
    // Key and certificate belong together.
    let of_key = openssl(folder.path(), "pkey -in cluster.key -pubout");
    let of_cert = openssl(folder.path(), "x509 -in cluster.crt -noout -pubkey");
    assert_eq!(of_key, of_cert);
    let days = openssl(
        folder.path(),
        "x509 -in cluster.crt -noout -checkend 94521600",
    );
    assert!(
        days.is_some_and(|text| text.contains("will not expire")),
        "it lives 1095 days"
    );
}

#[test]
fn openssl_verifies_what_the_authority_issues() {
    let folder = TempDir::new("pki");
    let authority = Authority::create("Test authority").expect("it is made");
    let names = ["*.us.cp0.konghq.localhost", "127.0.0.1"];
    let server = authority.issue_server(&names).expect("it is issued");
    let client = authority.issue_client("node").expect("it is issued");
    std::fs::write(folder.join("ca.pem"), authority.ca_pem()).expect("it is written");
    std::fs::write(folder.join("server.pem"), &server.cert_pem).expect("it is written");
    std::fs::write(folder.join("client.pem"), &client.cert_pem).expect("it is written");
    let host = "-verify_hostname prefix.us.cp0.konghq.localhost";
    let server = format!("verify -x509_strict -purpose sslserver {host} -CAfile ca.pem server.pem");
    let Some(verified) = openssl(folder.path(), &server) else {
        return;
    };
    assert_eq!(verified, "server.pem: OK\n");
    let client = "verify -x509_strict -purpose sslclient -CAfile ca.pem client.pem";
    assert_eq!(
        openssl(folder.path(), client).as_deref(),
        Some("client.pem: OK\n")
    );
}

#[test]
fn certificates_of_all_usual_kinds_are_read_with_their_keys() {
    let folder = TempDir::new("pki");
    let kinds = [
        ("rsa", "-newkey rsa:2048"),
        ("p256", "-newkey ec -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "-newkey ec -pkeyopt ec_paramgen_curve:P-384"),
        ("ed25519", "-newkey ed25519"),
    ];
    for (kind, options) in kinds {
        let command = format!(
            "req -x509 {options} -nodes -subj /CN=kong_clustering -days 30 \
             -keyout {kind}.key -out {kind}.crt"
        );
        if openssl(folder.path(), &command).is_none() {
            return;
        }
        let cert = std::fs::read(folder.join(format!("{kind}.crt"))).expect("it exists");
        let key = std::fs::read(folder.join(format!("{kind}.key"))).expect("it exists");
        let peer = PeerCertificate::from_pem(&cert).expect("it is read");
        assert_eq!(peer.version(), 3, "{kind}");
        assert_eq!(peer.common_name(), Some("kong_clustering"));
        assert_eq!(peer.sha256_hex().len(), 64);
        certified_key(&cert, &key).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

/// A root, an intermediate below it, and a client below that, all made by openssl.
fn chain(folder: &Path) -> Option<()> {
    let config = "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n\
                  [client]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n\
                  [server]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n";
    std::fs::write(folder.join("ext.cnf"), config).expect("it is written");
    let curve = "ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        folder,
        &format!("req -x509 -newkey {curve} -subj /CN=root -days 9 -keyout root.key -out root.crt"),
    )?;
    for (name, issuer, section) in [
        ("middle", "root", "ca"),
        ("client", "middle", "client"),
        ("server", "middle", "server"),
    ] {
        let request =
            format!("req -new -newkey {curve} -subj /CN={name} -keyout {name}.key -out {name}.csr");
        openssl(folder, &request)?;
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -CAcreateserial \
                 -days 9 -extfile ext.cnf -extensions {section} -out {name}.crt"
            ),
        )?;
    }
    // A leaf without extensions: version 1, signed by the root.
    openssl(
        folder,
        &format!("req -new -newkey {curve} -subj /CN=old -keyout old.key -out old.csr"),
    )?;
    openssl(
        folder,
        "x509 -req -in old.csr -CA root.crt -CAkey root.key -CAcreateserial -days 9 -out old.crt",
    )?;
    Some(())
}

#[test]
fn chains_lead_to_roots_and_to_registered_intermediates() {
    let folder = TempDir::new("pki");
    if chain(folder.path()).is_none() {
        return;
    }
    let der = |name: &str| {
        let pem = std::fs::read(folder.join(format!("{name}.crt"))).expect("it exists");
        certificates_from_pem(&pem).expect("it is read").remove(0)
    };
    let (root, middle, client) = (der("root"), der("middle"), der("client"));
    let leaf = client.as_ref();
    // The whole chain, and a partial one whose anchor is the intermediate.
    assert!(chain_verifies_to(
        leaf,
        std::slice::from_ref(&middle),
        std::slice::from_ref(&root)
    ));
    assert!(chain_verifies_to(leaf, &[], std::slice::from_ref(&middle)));
    // Without the intermediate nothing leads to the root.
    let now = PeerCertificate::from_der(leaf)
        .expect("it is read")
        .not_before();
    let now = u64::try_from(now).expect("it is after 1970") + 60;
    let missing = verify_chain(leaf, &[], std::slice::from_ref(&root), Purpose::Client, now);
    assert_eq!(
        missing,
        Err(ChainError::UnknownIssuer {
            issuer: "CN=middle".to_owned()
        })
    );
    // Another purpose.
    let server = der("server");
    let anchors = std::slice::from_ref(&middle);
    let wrong = verify_chain(&server, &[], anchors, Purpose::Client, now);
    assert!(matches!(wrong, Err(ChainError::Unsuitable(_))), "{wrong:?}");
    // Times: the leaf, and then an anchor that lives shorter than a leaf would.
    let late = verify_chain(leaf, &[], anchors, Purpose::Client, now + 20 * 86_400);
    assert_eq!(
        late,
        Err(ChainError::Dates {
            subject: "CN=client".to_owned()
        })
    );
    // Version 1 below an anchor, and below somebody else.
    let old = der("old");
    if PeerCertificate::from_der(&old)
        .expect("it is read")
        .version()
        == 1
    {
        assert!(chain_verifies_to(&old, &[], std::slice::from_ref(&root)));
        assert!(!chain_verifies_to(&old, &[], anchors));
    }
    assert!(!chain_verifies_to(leaf, std::slice::from_ref(&middle), &[]));
    assert!(!chain_verifies_to(b"nonsense", &[], anchors));
}

#[test]
fn an_expired_authority_vouches_for_nobody() {
    let folder = TempDir::new("pki");
    let curve = "ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let request =
        format!("req -x509 -newkey {curve} -subj /CN=root -days 1 -keyout root.key -out root.crt");
    if openssl(folder.path(), &request).is_none() {
        return;
    }
    let csr = format!("req -new -newkey {curve} -subj /CN=leaf -keyout leaf.key -out leaf.csr");
    openssl(folder.path(), &csr);
    std::fs::write(folder.join("leaf.cnf"), "extendedKeyUsage=clientAuth\n").expect("written");
    openssl(
        folder.path(),
        "x509 -req -in leaf.csr -CA root.crt -CAkey root.key -CAcreateserial -days 9 \
         -extfile leaf.cnf -out leaf.crt",
    );
    let read = |name: &str| {
        let pem = std::fs::read(folder.join(name)).expect("it exists");
        certificates_from_pem(&pem).expect("it is read").remove(0)
    };
    let (root, leaf) = (read("root.crt"), read("leaf.crt"));
    let start = PeerCertificate::from_der(&root)
        .expect("it is read")
        .not_before();
    let start = u64::try_from(start).expect("it is after 1970");
    let anchors = [root];
    assert_eq!(
        verify_chain(&leaf, &[], &anchors, Purpose::Client, start + 60),
        Ok(())
    );
    let late = verify_chain(&leaf, &[], &anchors, Purpose::Client, start + 3 * 86_400);
    assert_eq!(late, Err(ChainError::AnchorDates));
}
