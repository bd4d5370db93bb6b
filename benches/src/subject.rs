//! The three proxies that are measured, each set up for the same work on one core.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use test_support::{Gatehouse, Node, Quickstart, TestAuthority, free_port};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::case::Case;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Our node, joined to a platform, telemetry and response headers on, access log off.
    Gatehouse,
    /// nginx from the system's packages, one worker, keep-alive to the backend, no access log.
    Nginx,
    /// HAProxy from the system's packages, one thread.
    Haproxy,
}

impl Subject {
    /// All, in the order of a round.
    pub const ALL: [Self; 3] = [Self::Gatehouse, Self::Nginx, Self::Haproxy];

    /// Its name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gatehouse => "gatehouse",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
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

/// What all subjects share: the backend, a certificate, a folder, a platform for our node.
#[derive(Debug)]
pub struct Stage {
    /// Where files go.
    pub folder: PathBuf,
    /// The backend's port.
    pub origin: u16,
    platform: Quickstart,
}

impl Stage {
    /// Prepares files; the backend listens on `origin` already.
    ///
    /// # Errors
    ///
    /// Says which file cannot be written.
    pub fn new(folder: PathBuf, origin: u16, platform: Quickstart) -> Result<Self, String> {
        let authority = TestAuthority::new("bench");
        let identity = authority.server(&["localhost"]);
        let pair = format!("{}{}", identity.certificate, identity.key);
        write(&folder.join("server.crt"), &identity.certificate)?;
        write(&folder.join("server.key"), &identity.key)?;
        write(&folder.join("server.pem"), &pair)?;
        Ok(Self {
            folder,
            origin,
            platform,
        })
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
        }
    }

    /// Starts our node by another launcher (strace, valgrind) for counting.
    ///
    /// # Errors
    ///
    /// As [`Stage::start`].
    pub async fn node(&self, case: Case, launcher: &[&str]) -> Result<Running, String> {
        let file = self.folder.join("bench.yml");
        write(&file, &declarative(case, self.origin))?;
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
        let mut node = Node::joining(&self.platform, &[("ssl_session_tickets", "off")]);
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
        write(&file, &nginx(case, self, port, tls_port))?;
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
        write(&file, &haproxy(self, port, tls_port))?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "haproxy", "-db", "-f"]).arg(&file);
        peer(command, port, tls_port).await
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

/// The declarative file of our node for a case.
#[must_use]
pub fn declarative(case: Case, origin: u16) -> String {
    let mut text = String::from("_format_version: \"3.0\"\nservices:\n- name: origin\n");
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!("  url: http://127.0.0.1:{origin}"));
    line("  routes:".to_owned());
    for number in 0..case.routes() {
        line(format!(
            "  - {{name: route{number}, paths: [/route{number}/]}}"
        ));
    }
    if case == Case::Plugins {
        line("plugins:".to_owned());
        line("- name: key-auth".to_owned());
        line("- name: rate-limiting".to_owned());
        line("  config: {minute: 1000000000, policy: local}".to_owned());
        line("consumers:".to_owned());
        line("- {username: bench, keyauth_credentials: [{key: bench-key}]}".to_owned());
    }
    text
}

fn nginx(case: Case, stage: &Stage, port: u16, tls_port: u16) -> String {
    let here = stage.folder.display();
    let mut locations = String::new();
    for number in 0..case.routes() {
        locations.push_str(&format!(
            "    location /route{number}/ {{ proxy_pass http://origin/; }}\n"
        ));
    }
    format!(
        "daemon off;\nworker_processes 1;\npid {here}/nginx.pid;\nerror_log stderr error;\n\
         events {{ worker_connections 8192; }}\nhttp {{\n  access_log off;\n  \
         client_body_temp_path {here}/body;\n  proxy_temp_path {here}/proxy;\n  \
         fastcgi_temp_path {here}/f;\n  uwsgi_temp_path {here}/u;\n  scgi_temp_path {here}/s;\n  \
         keepalive_requests 1000000000;\n  \
         upstream origin {{ server 127.0.0.1:{}; keepalive 256; keepalive_requests 1000000000; }}\n  \
         server {{\n    listen 127.0.0.1:{port};\n    listen 127.0.0.1:{tls_port} ssl;\n    \
         ssl_certificate {here}/server.crt;\n    ssl_certificate_key {here}/server.key;\n    \
         ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_tickets off;\n    ssl_session_cache off;\n    \
         proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    \
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    \
         proxy_set_header X-Real-IP $remote_addr;\n    proxy_set_header Via \"1.1 nginx\";\n    \
         proxy_request_buffering off;\n{locations}  }}\n}}\n",
        stage.origin
    )
}

fn haproxy(stage: &Stage, port: u16, tls_port: u16) -> String {
    let here = stage.folder.display();
    format!(
        "global\n  nbthread 1\n  maxconn 4000\n  tune.ssl.cachesize 0\n  \
         ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  \
         http-reuse always\n  option forwardfor\n\
         frontend in\n  bind 127.0.0.1:{port}\n  bind 127.0.0.1:{tls_port} ssl crt {here}/server.pem\n  \
         http-request set-header X-Real-IP %[src]\n  http-request set-header Via \"1.1 haproxy\"\n  \
         use_backend %[path,map_beg({here}/routes.map)]\n\
         backend origin\n  http-request replace-path /[^/]+/(.*) /\\1\n  \
         server origin 127.0.0.1:{} pool-max-conn 256\n",
        stage.origin
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
