//! A real directory: OpenLDAP's slapd from the system's packages.

use std::fmt::Write as _;
use std::path::Path;

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Gatehouse, Identity, TempDir, TestAuthority, eventually, free_port};

/// What it answers for.
const SUFFIX: &str = "dc=test";

/// A running server on loopback ports, with and without TLS. It knows people below
/// `ou=people,dc=test` by their `uid`.
#[derive(Debug)]
pub struct Slapd {
    process: Gatehouse,
    authority: TestAuthority,
    _folder: TempDir,
    port: u16,
    tls_port: u16,
}

impl Slapd {
    /// Starts one that knows these people, name and password, and waits until it accepts
    /// connections. Its certificate is for `localhost`.
    ///
    /// # Panics
    ///
    /// Panics when slapd is not installed or does not come up.
    pub async fn start(people: &[(&str, &str)]) -> Self {
        let folder = TempDir::new("slapd");
        let authority = TestAuthority::new("directory");
        let (port, tls_port) = (free_port(), free_port());
        let settings = folder.join("slapd.conf");
        let text = configuration(folder.path(), &authority.server(&["localhost"]));
        std::fs::write(&settings, text).expect("the settings");
        let entries = folder.join("entries.ldif");
        std::fs::write(&entries, ldif(people)).expect("the entries");
        let mut add = Command::new("/usr/sbin/slapadd");
        add.arg("-f").arg(&settings).arg("-l").arg(&entries);
        let added = add.output().await.expect("slapadd runs");
        assert!(added.status.success(), "slapadd: {added:?}");
        let mut command = Command::new("/usr/sbin/slapd");
        command
            .arg("-f")
            .arg(&settings)
            .arg("-h")
            .arg(format!(
                "ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
            ))
            // In the foreground, without a word.
            .args(["-d", "0"]);
        let mut process = Gatehouse::spawn(command);
        for port in [port, tls_port] {
            eventually("slapd accepts connections", async || {
                assert!(process.is_running(), "slapd ended:\n{}", process.output());
                TcpStream::connect(("127.0.0.1", port)).await.ok()
            })
            .await;
        }
        Self {
            process,
            authority,
            _folder: folder,
            port,
            tls_port,
        }
    }

    /// The port without TLS, which may be raised to it.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The port that speaks TLS at once.
    #[must_use]
    pub const fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The certificate of whoever issued its own, PEM.
    #[must_use]
    pub fn trusted(&self) -> &str {
        self.authority.pem()
    }

    /// Its process, to stop it or let it go on.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        self.process.kill().await;
    }
}

fn configuration(folder: &Path, identity: &Identity) -> String {
    let (cert, key) = (folder.join("slapd.crt"), folder.join("slapd.key"));
    std::fs::write(&cert, &identity.certificate).expect("the certificate");
    std::fs::write(&key, &identity.key).expect("the key");
    let (folder, cert, key) = (folder.display(), cert.display(), key.display());
    format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\n\
         moduleload back_mdb\nTLSCertificateFile {cert}\nTLSCertificateKeyFile {key}\n\
         database mdb\nsuffix \"{SUFFIX}\"\ndirectory {folder}\nmaxsize 10485760\n"
    )
}

fn ldif(people: &[(&str, &str)]) -> String {
    let mut text = format!(
        "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: test\no: test\n\n\
         dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n"
    );
    for (name, password) in people {
        write!(
            text,
            "dn: uid={name},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {name}\n\
             cn: {name}\nsn: {name}\nuserPassword: {password}\n\n"
        )
        .expect("text can grow");
    }
    text
}
