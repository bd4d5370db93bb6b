//! A real forward proxy: Squid from the system's packages.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Gatehouse, Identity, TempDir, eventually, free_port};

/// What a forward proxy should be like.
#[derive(Clone, Debug, Default)]
pub struct SquidOptions {
    /// User name and password that it asks for.
    pub credentials: Option<(String, String)>,
    /// Certificate and key with which it speaks TLS to its clients.
    pub tls: Option<Identity>,
    /// Names that it takes for the loopback address.
    pub loopback: Vec<String>,
}

/// A running Squid on a loopback port. It allows `CONNECT` to any port.
#[derive(Debug)]
pub struct Squid {
    process: Gatehouse,
    folder: TempDir,
    port: u16,
}

impl Squid {
    /// Starts one and waits until it accepts connections.
    ///
    /// # Panics
    ///
    /// Panics when Squid is not installed or does not come up.
    pub async fn start(options: &SquidOptions) -> Self {
        let folder = TempDir::new("squid");
        let port = free_port();
        let text = configuration(&folder, port, options).await;
        let file = folder.join("squid.conf");
        std::fs::write(&file, text).expect("the configuration can be written");
        let mut command = Command::new("squid");
        command.arg("-N").arg("-f").arg(&file);
        let mut process = Gatehouse::spawn(command);
        eventually("squid accepts connections", async || {
            assert!(process.is_running(), "squid ended:\n{}", process.output());
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self {
            process,
            folder,
            port,
        }
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote to its access log so far.
    #[must_use]
    pub fn access_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("access.log")).unwrap_or_default()
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        self.process.kill().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn configuration(folder: &TempDir, port: u16, options: &SquidOptions) -> String {
    let here = folder.path().display();
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        writeln!(text, "{line}").expect("text can grow");
    };
    match &options.tls {
        None => line(format_args!("http_port 127.0.0.1:{port}")),
        Some(identity) => {
            let (cert, key) = (folder.join("proxy.crt"), folder.join("proxy.key"));
            std::fs::write(&cert, &identity.certificate).expect("the certificate");
            std::fs::write(&key, &identity.key).expect("the key");
            let (cert, key) = (cert.display(), key.display());
            line(format_args!(
                "https_port 127.0.0.1:{port} tls-cert={cert} tls-key={key}"
            ));
        }
    }
    if let Some((user, password)) = &options.credentials {
        let file = folder.join("passwords");
        let mut command = Command::new("htpasswd");
        command.arg("-bc").arg(&file).arg(user).arg(password);
        assert!(
            command
                .output()
                .await
                .expect("htpasswd runs")
                .status
                .success()
        );
        let helper = "/usr/lib/squid/basic_ncsa_auth";
        line(format_args!(
            "auth_param basic program {helper} {}",
            file.display()
        ));
        line(format_args!("auth_param basic realm proxy"));
        line(format_args!("acl known proxy_auth REQUIRED"));
        line(format_args!("http_access allow known"));
        line(format_args!("http_access deny all"));
    } else {
        line(format_args!("http_access allow all"));
    }
    let hosts = folder.join("hosts");
    let names: String = options
        .loopback
        .iter()
        .map(|name| format!("127.0.0.1 {name}\n"))
        .collect();
    std::fs::write(&hosts, names).expect("the hosts file");
    line(format_args!("hosts_file {}", hosts.display()));
    // Squid drops to its own user when started by root; the folder must let it write.
    line(format_args!("cache deny all"));
    line(format_args!("cache_mem 8 MB"));
    line(format_args!("access_log stdio:{here}/access.log"));
    line(format_args!("cache_log {here}/cache.log"));
    line(format_args!("pid_filename {here}/squid.pid"));
    line(format_args!("coredump_dir {here}"));
    line(format_args!("shutdown_lifetime 0 seconds"));
    line(format_args!("buffered_logs off"));
    line(format_args!("pinger_enable off"));
    let mut command = Command::new("chmod");
    command.args(["-R", "a+rwX"]).arg(folder.path());
    command.status().await.expect("chmod runs");
    text
}
