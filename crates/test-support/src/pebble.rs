//! A real certificate authority that speaks ACME: Pebble from the system's packages.

use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{
    Gatehouse, Identity, NameServer, Rdata, TempDir, TestAuthority, eventually, free_port,
};

/// Lifetime of the names that lead here, in seconds.
const TTL: u32 = 60;

/// A running authority on a loopback port. It asks for proofs at one port of the loopback
/// address, where the names lead that [`Pebble::knows`] told it.
#[derive(Debug)]
pub struct Pebble {
    process: Gatehouse,
    names: NameServer,
    authority: TestAuthority,
    _folder: TempDir,
    port: u16,
}

impl Pebble {
    /// Starts one that asks for proofs at `http_port`, and waits until it accepts connections.
    /// With `outside`, a key id and a secret in base64, it takes only accounts bound to that.
    ///
    /// # Panics
    ///
    /// Panics when Pebble is not installed or does not come up.
    pub async fn start(http_port: u16, outside: Option<(&str, &str)>) -> Self {
        let (folder, names) = (TempDir::new("pebble"), NameServer::start());
        let authority = TestAuthority::new("pebble");
        let Identity { certificate, key } = authority.server(&["localhost"]);
        let (port, management) = (free_port(), free_port());
        let (cert_file, key_file) = (folder.join("pebble.crt"), folder.join("pebble.key"));
        std::fs::write(&cert_file, certificate).expect("the certificate");
        std::fs::write(&key_file, key).expect("the key");
        let mut settings = json!({
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": cert_file,
            "privateKey": key_file,
            "httpPort": http_port,
            "tlsPort": http_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": outside.is_some(),
        });
        if let Some((kid, secret)) = outside {
            settings["externalAccountMACKeys"] = json!({ kid: secret });
        }
        let file = folder.join("pebble.json");
        std::fs::write(&file, json!({ "pebble": settings }).to_string()).expect("the settings");
        let mut command = Command::new("pebble");
        command
            .arg("-config")
            .arg(&file)
            .arg("-dnsserver")
            .arg(names.address.to_string())
            .env("PEBBLE_VA_NOSLEEP", "1")
            // A third of the nonces are refused, so that this is tested too.
            .env("PEBBLE_WFE_NONCEREJECT", "33");
        let mut process = Gatehouse::spawn(command);
        eventually("pebble accepts connections", async || {
            assert!(process.is_running(), "pebble ended:\n{}", process.output());
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self {
            process,
            names,
            authority,
            _folder: folder,
            port,
        }
    }

    /// Makes a name lead to the loopback address.
    pub fn knows(&self, name: &str) {
        self.names.set(name, TTL, [Rdata::A([127, 0, 0, 1])]);
    }

    /// The address of its directory.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// The certificate of whoever issued its own, PEM.
    #[must_use]
    pub fn trusted(&self) -> &str {
        self.authority.pem()
    }

    /// What it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        self.process.kill().await;
    }
}
