//! The proxies that are measured, each set up for the same work on one core.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use test_support::{Gatehouse, Node, Quickstart, TestAuthority, free_port};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::case::Case;
use crate::peers::{self, Place};

/// Connections to the backend that wait for their next request at most: as many as there are.
const POOL: &str = "8192";

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Our node, joined to a platform, telemetry and response headers on, access log off.
    Gatehouse,
    /// nginx from the system's packages, one worker, keep-alive to the backend, no access log.
    Nginx,
    /// HAProxy from the system's packages, one thread.
    Haproxy,
    /// Envoy with one worker, where it is installed.
    Envoy,
}

impl Subject {
    /// All, in the order of a round.
    pub const ALL: [Self; 4] = [Self::Gatehouse, Self::Nginx, Self::Haproxy, Self::Envoy];

    /// Its name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gatehouse => "gatehouse",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
        }
    }
}

/// A proxy that runs, pinned to core 0.
#[derive(Debug)]
pub struct Running {
    process: Process,
    /// Port for HTTP.
    pub port: u16,
    /// Port for TLS.
    pub tls_port: u16,
}

#[derive(Debug)]
enum Process {
    Node(Box<Node>),
    Peer(Gatehouse),
}

impl Running {
    /// The process id of its root process.
    pub fn pid(&mut self) -> u32 {
        match &mut self.process {
            Process::Node(node) => node.process().pid(),
            Process::Peer(process) => process.pid(),
        }
    }
}

/// Ports of the backend.
#[derive(Clone, Copy, Debug)]
pub struct Origins {
    /// On the load's core.
    pub beside_load: u16,
    /// On the proxy's core.
    pub beside_proxy: u16,
}

impl Origins {
    fn of(self, case: Case) -> u16 {
        match case.is_saturated() {
            true => self.beside_proxy,
            false => self.beside_load,
        }
    }
}

/// What all subjects share: the backend, a certificate, a folder, a platform for our node.
#[derive(Debug)]
pub struct Stage {
    /// Where files go.
    pub folder: PathBuf,
    origins: Origins,
    platform: Quickstart,
    envoy: Option<PathBuf>,
}

impl Stage {
    /// Prepares files; the backends listen already. `envoy` is its program, where there is one.
    ///
    /// # Errors
    ///
    /// Says which file cannot be written.
    pub fn new(
        folder: PathBuf,
        origins: Origins,
        platform: Quickstart,
        envoy: Option<PathBuf>,
    ) -> Result<Self, String> {
        let authority = TestAuthority::new("bench");
        let identity = authority.server(&["localhost"]);
        let pair = format!("{}{}", identity.certificate, identity.key);
        write(&folder.join("server.crt"), &identity.certificate)?;
        write(&folder.join("server.key"), &identity.key)?;
        write(&folder.join("server.pem"), &pair)?;
        Ok(Self {
            folder,
            origins,
            platform,
            envoy,
        })
    }

    /// Who takes part in a case, in the order of a round.
    #[must_use]
    pub fn subjects(&self, case: Case) -> Vec<Subject> {
        // Envoy looks at one route after another: with very many it answers nothing in time.
        let has_envoy = self.envoy.is_some() && case.routes() <= 1_000;
        let all = Subject::ALL.into_iter();
        all.filter(|subject| has_envoy || *subject != Subject::Envoy)
            .collect()
    }

    /// Starts a subject with the configuration of a case and waits until it accepts.
    ///
    /// # Errors
    ///
    /// Says what the subject printed when it does not come up.
    pub async fn start(&self, subject: Subject, case: Case) -> Result<Running, String> {
        match subject {
            Subject::Gatehouse => self.node(case, &["taskset", "-c", "0"]).await,
            Subject::Nginx => self.nginx(case).await,
            Subject::Haproxy => self.haproxy(case).await,
            Subject::Envoy => self.envoy(case).await,
        }
    }

    /// Starts our node by another launcher (strace, valgrind) for counting.
    ///
    /// # Errors
    ///
    /// As [`Stage::start`].
    pub async fn node(&self, case: Case, launcher: &[&str]) -> Result<Running, String> {
        let file = self.folder.join("bench.yml");
        write(&file, &peers::declarative(case, self.origins.of(case)))?;
        let file = file.display().to_string();
        let import = [
            "config",
            "db_import",
            &file,
            "--control-plane",
            "default",
            "--data-dir",
            self.platform.flag("--data-dir"),
        ];
        let output = test_support::run_to_end(&import).await;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let settings = [
            ("ssl_session_tickets", "off"),
            ("upstream_keepalive_pool_size", POOL),
        ];
        let mut node = Node::joining(&self.platform, &settings);
        node.set(
            "ssl_cert",
            &self.folder.join("server.crt").display().to_string(),
        );
        node.set(
            "ssl_cert_key",
            &self.folder.join("server.key").display().to_string(),
        );
        node.launched_by(launcher);
        let (port, tls_port) = (node.proxy_port(), node.proxy_tls_port());
        node.ready().await;
        Ok(Running {
            process: Process::Node(Box::new(node)),
            port,
            tls_port,
        })
    }

    async fn nginx(&self, case: Case) -> Result<Running, String> {
        let (port, tls_port) = (free_port(), free_port());
        let file = self.folder.join("nginx.conf");
        write(
            &file,
            &peers::nginx(case, &self.place(case, port, tls_port)),
        )?;
        let mut command = Command::new("taskset");
        command
            .args(["-c", "0", "nginx", "-e", "stderr", "-c"])
            .arg(&file);
        peer(command, port, tls_port).await
    }

    async fn haproxy(&self, case: Case) -> Result<Running, String> {
        let (port, tls_port) = (free_port(), free_port());
        let file = self.folder.join("haproxy.cfg");
        let mut map = String::new();
        for number in 0..case.routes() {
            writeln!(map, "/route{number}/ origin").map_err(|error| error.to_string())?;
        }
        write(&self.folder.join("routes.map"), &map)?;
        write(&file, &peers::haproxy(&self.place(case, port, tls_port)))?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "haproxy", "-db", "-f"]).arg(&file);
        peer(command, port, tls_port).await
    }

    async fn envoy(&self, case: Case) -> Result<Running, String> {
        let (port, tls_port) = (free_port(), free_port());
        let file = self.folder.join("envoy.json");
        let text = peers::envoy(case, &self.place(case, port, tls_port));
        write(&file, &text.to_string())?;
        let program = self.envoy.as_ref().ok_or("there is no Envoy")?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command.args(["--concurrency", "1", "-l", "error", "-c"]);
        command.arg(&file);
        peer(command, port, tls_port).await
    }

    fn place(&self, case: Case, port: u16, tls_port: u16) -> Place<'_> {
        Place {
            folder: &self.folder,
            origin: self.origins.of(case),
            port,
            tls_port,
        }
    }
}

async fn peer(command: Command, port: u16, tls_port: u16) -> Result<Running, String> {
    let mut process = Gatehouse::spawn(command);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if !process.is_running() || tokio::time::Instant::now() > deadline {
            return Err(format!("a peer did not come up:\n{}", process.output()));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(Running {
        process: Process::Peer(process),
        port,
        tls_port,
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
