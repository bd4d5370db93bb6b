//! A whole installation on one machine: `gatehouse quickstart` in a folder of its own, on free
//! ports.

use std::time::Duration;

use serde_json::Value;

use crate::{Client, Gatehouse, Identity, TempDir, free_port};

/// What a quickstart should be like.
#[derive(Clone, Debug, Default)]
pub struct QuickstartOptions {
    /// Extra arguments.
    pub arguments: Vec<String>,
}

/// A running quickstart. Its processes end when it is dropped.
#[derive(Debug)]
pub struct Quickstart {
    process: Gatehouse,
    arguments: Vec<String>,
    folder: TempDir,
    facts: Value,
}

impl Quickstart {
    /// Starts one without the sample service, and waits until it has said that it is ready.
    ///
    /// # Panics
    ///
    /// As [`Quickstart::start`].
    pub async fn empty() -> Self {
        let options = QuickstartOptions {
            arguments: vec!["--no-sample".to_owned()],
        };
        Self::start(&options).await
    }

    /// Starts one and waits until it has said that it is ready.
    ///
    /// # Panics
    ///
    /// Panics, with what it printed, when it does not come up.
    pub async fn start(options: &QuickstartOptions) -> Self {
        let folder = TempDir::new("quickstart");
        let mut arguments: Vec<String> = vec!["quickstart".into()];
        let mut flag = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        flag("--data-dir", folder.path().display().to_string());
        for port in [
            "--platform-port",
            "--proxy-port",
            "--proxy-tls-port",
            "--status-port",
            "--audit-port",
        ] {
            flag(port, free_port().to_string());
        }
        arguments.extend(options.arguments.iter().cloned());
        let (process, facts) = launch(&arguments, &folder).await;
        Self {
            process,
            arguments,
            folder,
            facts,
        }
    }

    /// Starts the same installation again after its processes ended.
    ///
    /// # Panics
    ///
    /// As [`Quickstart::start`].
    pub async fn start_again(&mut self) {
        let (process, facts) = launch(&self.arguments, &self.folder).await;
        self.process = process;
        self.facts = facts;
    }

    /// A member of `quickstart.json` as text.
    ///
    /// # Panics
    ///
    /// Panics when there is no such member or it is no text.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        self.facts[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.facts))
    }

    /// The whole of `quickstart.json`.
    #[must_use]
    pub fn facts(&self) -> &Value {
        &self.facts
    }

    /// The value of a flag it was started with.
    ///
    /// # Panics
    ///
    /// Panics when it was started without that flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> &str {
        let at = self
            .arguments
            .iter()
            .position(|argument| argument == name)
            .expect("the flag");
        &self.arguments[at + 1]
    }

    /// The folder with everything in it.
    #[must_use]
    pub fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// The process of the platform.
    pub fn process(&mut self) -> &mut Gatehouse {
        &mut self.process
    }

    /// A client that trusts the installation and sends its token.
    ///
    /// # Panics
    ///
    /// Panics when the authority's certificate cannot be read.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new()
            .trusting(&self.ca())
            .bearer(self.fact("token"))
    }

    /// The certificate of the installation's private authority.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be read.
    #[must_use]
    pub fn ca(&self) -> String {
        read(self.fact("ca_cert_path"))
    }

    /// The client certificate of the first node.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be read.
    #[must_use]
    pub fn node_identity(&self) -> Identity {
        Identity {
            certificate: read(self.fact("node_cert_path")),
            key: read(self.fact("node_key_path")),
        }
    }

    /// `/v2/control-planes/{id}` of the first control plane, as URL.
    #[must_use]
    pub fn plane_url(&self) -> String {
        let (base, id) = (self.fact("geo_api_url"), self.fact("control_plane_id"));
        format!("{base}/v2/control-planes/{id}")
    }

    /// A path below the core entities of the first control plane, as URL.
    #[must_use]
    pub fn entities_url(&self, path: &str) -> String {
        format!("{}/core-entities/{path}", self.plane_url())
    }

    /// A path through the node, as URL.
    #[must_use]
    pub fn proxy_url(&self, path: &str) -> String {
        format!("{}{path}", self.fact("proxy_http_url"))
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        // The node outlives the platform by design, so it is ended by its own process id.
        for name in ["node/node.pid", "node.pid"] {
            if let Ok(pid) = std::fs::read_to_string(self.folder.join(name)) {
                let kill = std::process::Command::new("kill")
                    .args(["-9", pid.trim()])
                    .output();
                drop(kill);
            }
        }
    }
}

async fn launch(arguments: &[String], folder: &TempDir) -> (Gatehouse, Value) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut process = Gatehouse::start(&arguments, &[]);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if process.output().contains("curl ") {
            break;
        }
        let is_over = !process.is_running() || tokio::time::Instant::now() > deadline;
        assert!(
            !is_over,
            "quickstart did not come up:\n{}",
            process.output()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let text = read(&folder.join("quickstart.json").display().to_string());
    (
        process,
        serde_json::from_str(&text).expect("quickstart.json holds JSON"),
    )
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
