//! A node of its own beside a quickstart: `gatehouse node` with `KONG_*` settings.

use std::path::PathBuf;
use std::time::Duration;

use crate::{
    Client, Gatehouse, Identity, Quickstart, TempDir, binary, eventually_within, free_port,
};

/// A running node. It is killed when dropped; its folder stays as long as this value.
#[derive(Debug)]
pub struct Node {
    process: Option<Gatehouse>,
    folder: TempDir,
    settings: Vec<(String, String)>,
    launcher: Vec<String>,
    proxy_port: u16,
    proxy_tls_port: u16,
    status_port: u16,
}

impl Node {
    /// Prepares a node with settings of its own (names as in `kong.conf`); nothing runs yet.
    #[must_use]
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new("node");
        let (proxy_port, proxy_tls_port, status_port) = (free_port(), free_port(), free_port());
        let mut node = Self {
            process: None,
            folder,
            settings: Vec::new(),
            launcher: vec![binary().display().to_string()],
            proxy_port,
            proxy_tls_port,
            status_port,
        };
        let prefix = node.folder.join("prefix").display().to_string();
        let listen = format!("127.0.0.1:{proxy_port}, 127.0.0.1:{proxy_tls_port} http2 ssl");
        node.set("prefix", &prefix);
        node.set("proxy_listen", &listen);
        node.set("status_listen", &format!("127.0.0.1:{status_port}"));
        node.set("admin_listen", "off");
        node.set("nginx_worker_processes", "1");
        node.set("proxy_access_log", "off");
        for (name, value) in settings {
            node.set(name, value);
        }
        node
    }

    /// Prepares a node that joins the first control plane of a quickstart with its certificate.
    #[must_use]
    pub fn joining(quickstart: &Quickstart, settings: &[(&str, &str)]) -> Self {
        Self::joining_as(quickstart, &quickstart.node_identity(), settings)
    }

    /// Prepares a node that joins with a certificate of its own.
    ///
    /// # Panics
    ///
    /// Panics when its files cannot be written.
    #[must_use]
    pub fn joining_as(
        quickstart: &Quickstart,
        identity: &Identity,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut node = Self::new(&[]);
        let (certificate, key) = (node.folder.join("node.crt"), node.folder.join("node.key"));
        std::fs::write(&certificate, &identity.certificate).expect("the certificate");
        std::fs::write(&key, &identity.key).expect("the key");
        let configuration = authority(quickstart.fact("control_plane_endpoint"));
        let telemetry = authority(quickstart.fact("telemetry_endpoint"));
        for (name, value) in [
            ("role", "data_plane"),
            ("database", "off"),
            ("konnect_mode", "on"),
            ("cluster_mtls", "pki"),
            ("cluster_control_plane", &configuration),
            ("cluster_server_name", host(&configuration)),
            ("cluster_telemetry_endpoint", &telemetry),
            ("cluster_telemetry_server_name", host(&telemetry)),
            ("cluster_cert", &certificate.display().to_string()),
            ("cluster_cert_key", &key.display().to_string()),
            (
                "lua_ssl_trusted_certificate",
                quickstart.fact("ca_cert_path"),
            ),
        ] {
            node.set(name, value);
        }
        for (name, value) in settings {
            node.set(name, value);
        }
        node
    }

    /// Prepares a node without a control plane that serves a declarative file, with an Admin
    /// API on loopback.
    ///
    /// # Panics
    ///
    /// Panics when the file cannot be written.
    #[must_use]
    pub fn declarative(text: &str, settings: &[(&str, &str)]) -> Self {
        let mut node = Self::new(&[("database", "off")]);
        let file = node.folder.join("kong.yml");
        std::fs::write(&file, text).expect("the declarative file");
        node.set("declarative_config", &file.display().to_string());
        for (name, value) in settings {
            node.set(name, value);
        }
        node
    }

    /// Sets one property, replacing an earlier value.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(other, _)| other != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Puts a launcher such as `taskset -c 0` before the binary.
    pub fn launched_by(&mut self, launcher: &[&str]) {
        let binary = self.launcher.pop();
        self.launcher = launcher.iter().map(|word| (*word).to_owned()).collect();
        self.launcher.extend(binary);
    }

    /// Starts the process without waiting for anything.
    ///
    /// # Panics
    ///
    /// Panics when `kong.conf` cannot be written or the binary is missing.
    pub fn start(&mut self) {
        let mut text = String::new();
        for (name, value) in &self.settings {
            text.push_str(&format!("{name} = {}\n", value.replace('#', "\\#")));
        }
        let file = self.folder.join("kong.conf");
        std::fs::write(&file, text).expect("kong.conf can be written");
        let mut command = tokio::process::Command::new(&self.launcher[0]);
        command
            .args(&self.launcher[1..])
            .args(["node", "-c"])
            .arg(&file);
        self.process = Some(Gatehouse::spawn(command));
    }

    /// Starts a second process with the same settings beside the running one, and gives the first:
    /// the second takes over from it.
    ///
    /// # Panics
    ///
    /// As [`Node::start`], and when nothing runs.
    pub fn succeed(&mut self) -> Gatehouse {
        let predecessor = self.process.take().expect("a started node");
        self.start();
        predecessor
    }

    /// Starts the process and waits until it says that it is ready.
    ///
    /// # Panics
    ///
    /// Panics, with what it printed, when it is not ready within 30 seconds.
    pub async fn ready(&mut self) {
        self.start();
        self.becomes_ready().await;
    }

    /// Waits until the running process says that it is ready.
    ///
    /// # Panics
    ///
    /// As [`Node::ready`].
    pub async fn becomes_ready(&mut self) {
        let url = self.status_url("/status/ready");
        let process = self.process.as_mut().expect("a started node");
        let limit = Duration::from_secs(30);
        eventually_within(limit, "the node is ready", async || {
            assert!(
                process.is_running(),
                "the node ended:\n{}",
                process.output()
            );
            let answer = Client::new().get(&url).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// The running process.
    ///
    /// # Panics
    ///
    /// Panics when it was not started.
    pub fn process(&mut self) -> &mut Gatehouse {
        self.process.as_mut().expect("a started node")
    }

    /// Everything the running process printed so far; empty when it was not started.
    #[must_use]
    pub fn output(&self) -> String {
        self.process
            .as_ref()
            .map(Gatehouse::output)
            .unwrap_or_default()
    }

    /// A path through the node as `http` URL.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.proxy_port)
    }

    /// A path through the node as `https` URL for a host name.
    #[must_use]
    pub fn tls_url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.proxy_tls_port)
    }

    /// A path of its status API.
    #[must_use]
    pub fn status_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.status_port)
    }

    /// The port for plain HTTP.
    #[must_use]
    pub fn proxy_port(&self) -> u16 {
        self.proxy_port
    }

    /// The port for TLS.
    #[must_use]
    pub fn proxy_tls_port(&self) -> u16 {
        self.proxy_tls_port
    }

    /// Its `prefix` folder, where it keeps what it has accepted.
    #[must_use]
    pub fn prefix(&self) -> PathBuf {
        self.folder.join("prefix")
    }
}

fn authority(url: &str) -> String {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    if rest.contains(':') {
        rest.to_owned()
    } else {
        format!("{rest}:443")
    }
}

fn host(authority: &str) -> &str {
    authority.split(':').next().unwrap_or(authority)
}
