//! Proof from outside: suites and programs that know nothing of this project, before a node that
//! serves a declarative file.

use std::path::PathBuf;
use std::process::Stdio;

use gatehouse_tests::tool;
use test_support::{Node, TempDir, TestAuthority, is_long};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// A script of `scripts/suites` under way.
struct Suite {
    child: Child,
    output: BufReader<tokio::process::ChildStdout>,
}

impl Suite {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let suites = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/suites");
        let mut child = Command::new(tool("python"))
            .arg(suites.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the suite starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, output }
    }

    /// The ports of its services, which its first line names.
    async fn ports(&mut self) -> Vec<u16> {
        let mut line = String::new();
        self.output.read_line(&mut line).await.expect("a line");
        let ports = line.split_whitespace();
        ports.map(|port| port.parse().expect("a port")).collect()
    }

    /// Tells it what it waits for and holds it to its verdict.
    async fn passes(mut self, told: &str) {
        let mut input = self.child.stdin.take().expect("its input");
        input
            .write_all(format!("{told}\n").as_bytes())
            .await
            .expect("it is told");
        drop(input);
        let mut printed = String::new();
        self.output
            .read_to_string(&mut printed)
            .await
            .expect("its verdict");
        let ended = self.child.wait().await.expect("it ends");
        assert!(ended.success(), "{printed}");
    }
}

fn length() -> &'static str {
    if is_long() { "long" } else { "short" }
}

#[tokio::test]
async fn websockets_pass_through_as_if_there_were_nothing_between() {
    let mut suite = Suite::start("websocket.py", &[length()]);
    let ports = suite.ports().await;
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n\
         - {{name: plain, url: \"http://127.0.0.1:{}\", routes: [{{name: p, paths: [/plain]}}]}}\n\
         - {{name: deflate, url: \"http://127.0.0.1:{}\", routes: [{{name: d, paths: [/deflate]}}]}}\n",
        ports[0], ports[1]
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;

    let (plain, secure) = (node.proxy_port(), node.proxy_tls_port());
    suite
        .passes(&format!("ws://127.0.0.1:{plain} wss://127.0.0.1:{secure}"))
        .await;
}

#[tokio::test]
async fn grpc_of_all_four_kinds_passes_through() {
    let mut suite = Suite::start("grpc_interop.py", &[]);
    let port = suite.ports().await[0];
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: g\n  url: grpc://127.0.0.1:{port}\n  routes:\n  \
         - name: g\n    protocols: [grpc, grpcs]\n    paths: [/]\n"
    );
    let mut node = Node::declarative(&text, &[]);
    let folder = TempDir::new("grpc");
    let authority = TestAuthority::new("test");
    let issued = authority.server(&["grpc.test"]);
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    node.set("ssl_cert", &file("cert.pem", &issued.certificate));
    node.set("ssl_cert_key", &file("key.pem", &issued.key));
    let (plain, secure) = (node.proxy_port(), node.proxy_tls_port());
    let listen = format!("127.0.0.1:{plain} http2, 127.0.0.1:{secure} http2 ssl");
    node.set("proxy_listen", &listen);
    node.ready().await;

    let authority = file("authority.pem", authority.pem());
    suite
        .passes(&format!("127.0.0.1:{plain} 127.0.0.1:{secure} {authority}"))
        .await;
}

/// A node whose first listener speaks HTTP/2 in clear too, with everything for one service.
async fn node_before(port: u16, flags: &str) -> Node {
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: s\n  url: http://127.0.0.1:{port}\n  routes:\n  \
         - name: s\n    paths: [/]\n"
    );
    let mut node = Node::declarative(&text, &[]);
    let (plain, secure) = (node.proxy_port(), node.proxy_tls_port());
    let listen = format!("127.0.0.1:{plain}{flags}, 127.0.0.1:{secure} http2 ssl");
    node.set("proxy_listen", &listen);
    node.ready().await;
    node
}

#[tokio::test]
async fn http2_is_spoken_as_its_standard_wants_and_floods_end() {
    let mut suite = Suite::start("http2.py", &[]);
    let port = suite.ports().await[0];
    let node = node_before(port, " http2").await;

    suite.passes(&node.proxy_port().to_string()).await;
}

#[tokio::test]
async fn requests_that_two_readers_could_read_in_two_ways_go_nowhere() {
    if !is_long() {
        return;
    }
    let mut suite = Suite::start("smuggling.py", &[]);
    let port = suite.ports().await[0];
    let node = node_before(port, "").await;

    suite.passes(&node.proxy_port().to_string()).await;
}

/// What testssl.sh says of things that are not TLS: of a certificate that no public authority has
/// issued, and of fields that belong to the answers of services.
const NOT_OF_TLS: [&str; 4] = ["cert_", "DNS_CAArecord", "HSTS", "security_headers"];

#[tokio::test]
async fn testssl_finds_nothing_above_low() {
    if !is_long() {
        return;
    }
    let node = node_before(9, "").await;
    let folder = TempDir::new("testssl");
    let report = folder.join("report.json");
    let ended = Command::new("testssl")
        .args(["--quiet", "--color", "0", "--warnings", "off", "--jsonfile"])
        .arg(&report)
        .arg(format!("127.0.0.1:{}", node.proxy_tls_port()))
        .output()
        .await
        .expect("testssl starts: run scripts/install-test-packages.sh");

    let text = std::fs::read(&report).unwrap_or_default();
    let printed = String::from_utf8_lossy(&ended.stdout);
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&text).expect(&printed);
    assert!(findings.len() > 100, "{printed}");
    let above_low: Vec<_> = findings
        .iter()
        .filter(|found| {
            let of = |name: &str| found[name].as_str().unwrap_or_default();
            matches!(of("severity"), "MEDIUM" | "HIGH" | "CRITICAL" | "FATAL")
                && !NOT_OF_TLS.iter().any(|known| of("id").starts_with(known))
        })
        .collect();
    assert!(above_low.is_empty(), "{above_low:#?}");
}
