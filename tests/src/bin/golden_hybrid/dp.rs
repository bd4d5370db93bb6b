//! The recorded control plane's part against our node.

use std::path::Path;
use std::time::Duration;

use pki::{CertificateVersion, Issued, gen_cluster_certificate};
use serde_json::Value;
use test_support::{Client, Node};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use wire::socket::{End, Socket, SocketEvent};

use crate::Verdict;
use crate::plane::{LIMIT, Port, head, header, send};
use crate::records::{Record, Scenario, read};

/// How long a frame that changes nothing is given to change something after all.
const QUIET: Duration = Duration::from_millis(700);

/// Scenarios that end otherwise, and why that is right.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "fragmented",
        "a message in several frames is put together and applied",
    ),
    (
        "unknown-plugin-null-field",
        "the plugin of the recording is not part of the product",
    ),
    (
        "subprotocol-not-offered",
        "a sub-protocol nobody offered is ignored, as recorded",
    ),
];

/// Of these, those that are not played.
const SKIPPED: &[&str] = &["fragmented", "unknown-plugin-null-field"];

type Link = Socket<TlsStream<TcpStream>>;

pub(crate) async fn replay(path: &Path) -> Vec<Verdict> {
    let port = Port::open().await;
    let cluster = gen_cluster_certificate(30, CertificateVersion::V1).unwrap();
    let mut node = Node::new(&[
        ("role", "data_plane"),
        ("database", "off"),
        // With this the node tells of a refusal, so that the replay need not wait and hope.
        ("konnect_mode", "on"),
        ("cluster_control_plane", &port.address().to_string()),
        ("cluster_cert", &cluster.cert_pem.replace('\n', "\\n")),
        ("cluster_cert_key", &cluster.key_pem.replace('\n', "\\n")),
    ]);
    node.start();
    let mut replay = Replay {
        node,
        port,
        cluster,
        link: None,
        hash: wire::EMPTY_HASH.to_owned(),
        faults: Vec::new(),
    };
    let mut verdicts = Vec::new();
    for scenario in read(path) {
        replay.play(&scenario).await;
        let note = DIFFERENT.iter().find(|(name, _)| *name == scenario.name);
        verdicts.push(Verdict {
            scenario: scenario.name,
            faults: std::mem::take(&mut replay.faults),
            note: note.map(|(_, why)| *why),
            is_skipped: SKIPPED.contains(&note.map_or("", |(name, _)| name)),
        });
    }
    verdicts
}

struct Replay {
    node: Node,
    port: Port,
    cluster: Issued,
    link: Option<Link>,
    /// What the node runs as far as its pings say.
    hash: String,
    faults: Vec<String>,
}

impl Replay {
    fn fault(&mut self, record: &Record, text: impl std::fmt::Display) {
        self.faults
            .push(format!("{} ({}): {text}", record.text("id"), record.what()));
    }

    async fn play(&mut self, scenario: &Scenario) {
        if SKIPPED.contains(&scenario.name.as_str()) {
            return;
        }
        if scenario.name == "other-server-certificate" {
            return self.other_certificate().await;
        }
        for (index, record) in scenario.records.iter().enumerate() {
            let pushes = record.what() == "frame cp->dp binary";
            match record.what().as_str() {
                "tls dp->cp" => self.open(record, scenario).await,
                "frame cp->dp binary"
                | "frame cp->dp ping"
                | "frame cp->dp pong"
                | "frame cp->dp close" => self.say(record).await,
                "status" => self.judge_status(record).await,
                _ => {}
            }
            if pushes {
                let expected = scenario.records[index + 1..]
                    .iter()
                    .take_while(|next| next.text("direction") == "dp->cp")
                    .map(Record::what)
                    .collect::<Vec<_>>();
                let expected_ping = scenario
                    .records
                    .get(index + 1)
                    .filter(|next| next.what() == "frame dp->cp ping");
                let is_end = expected.iter().any(|what| what == "end dp->cp");
                let hash = expected_ping.map(|ping| ping.text("payload_text").to_owned());
                self.judge_answer(record, hash, is_end).await;
            }
        }
        // A close frame ends the link too.
        let closes = scenario
            .records
            .iter()
            .any(|r| r.what() == "frame cp->dp close");
        if closes && self.wait_end().await.is_err() {
            self.faults.push("the link did not end".to_owned());
        }
    }

    /// Waits for the node's link and checks how it begins.
    async fn open(&mut self, record: &Record, scenario: &Scenario) {
        self.link = None;
        let mut stream = match self.port.accept(&self.cluster).await {
            Ok(stream) => stream,
            Err(error) => return self.fault(record, error),
        };
        if stream.get_ref().1.server_name() != Some("kong_clustering") {
            self.fault(record, "the server name is not `kong_clustering`");
        }
        let request = match head(&mut stream).await {
            Ok(request) => request,
            Err(error) => return self.fault(record, error),
        };
        let recorded = scenario
            .records
            .iter()
            .find(|r| r.what() == "http-head dp->cp");
        let (ours, theirs) = (shape(&request), recorded.map(|r| shape(r.text("text"))));
        if theirs.as_ref() != Some(&ours) {
            self.fault(record, format!("request {ours:?} instead of {theirs:?}"));
        }
        let protocol = scenario
            .records
            .iter()
            .find(|r| r.what() == "http-head cp->dp")
            .and_then(|r| header(r.text("text"), "Sec-WebSocket-Protocol"))
            .map(|protocol| format!("Sec-WebSocket-Protocol: {protocol}\r\n"))
            .unwrap_or_default();
        let key = header(&request, "Sec-WebSocket-Key").unwrap_or_default();
        let accept = wire::websocket_accept(key);
        send(
            &mut stream,
            &format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
            ),
        )
        .await;
        let mut link = Socket::new(stream, End::Plane, Vec::new(), 1 << 26).await;
        let info = next(&mut link).await;
        let ping = next(&mut link).await;
        match (info, ping) {
            (Ok(SocketEvent::Binary(info)), Ok(SocketEvent::Ping(ping))) => {
                let info: Value = serde_json::from_slice(&info).unwrap_or_default();
                if info["type"] != "basic_info" || !info["plugins"].is_array() {
                    self.fault(record, "the first frame is not `basic_info`");
                }
                if ping != self.hash.as_bytes() {
                    self.fault(record, format!("the first ping is not `{}`", self.hash));
                }
            }
            other => self.fault(record, format!("began with {other:?}")),
        }
        self.link = Some(link);
    }

    async fn say(&mut self, record: &Record) {
        let payload = record.payload();
        let Some(link) = &mut self.link else {
            return self.fault(record, "there is no link");
        };
        let said = match record.text("opcode") {
            "binary" => link.queue(payload),
            "ping" => link.queue_ping(payload),
            "close" => {
                link.close().await;
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = said {
            return self.fault(record, error);
        }
        while self.link.as_ref().is_some_and(Socket::is_writing) {
            let Some(link) = &mut self.link else { return };
            if !matches!(next(link).await, Ok(SocketEvent::Written)) {
                return;
            }
        }
    }

    /// What the node answers to a pushed frame: a ping with a hash, an end, or nothing.
    async fn judge_answer(&mut self, record: &Record, hash: Option<String>, is_end: bool) {
        let Some(link) = &mut self.link else { return };
        if is_end {
            if self.wait_end().await.is_err() {
                self.fault(record, "the link did not end");
            }
            return;
        }
        let answer = timeout(if hash.is_some() { LIMIT } else { QUIET }, async {
            loop {
                match link.event().await {
                    Ok(SocketEvent::Ping(payload)) => {
                        return Ok(Some(String::from_utf8_lossy(&payload).into_owned()));
                    }
                    // A report of refusal, which the recorded node was not asked for.
                    Ok(SocketEvent::Binary(_)) => return Ok(None),
                    Ok(SocketEvent::Closed) | Err(_) => return Err("the link ended"),
                    Ok(_) => {}
                }
            }
        });
        let answer = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return self.fault(record, error),
            Err(_) => None,
        };
        if answer != hash {
            self.fault(record, format!("answered {answer:?} instead of {hash:?}"));
        }
        if let Some(hash) = answer {
            self.hash = hash;
        }
    }

    async fn judge_status(&mut self, record: &Record) {
        // Recordings are abridged: a hash that was pushed in a part left out counts as unchanged.
        let recorded = record.text("configuration_hash");
        let is_known = recorded == self.hash;
        let expected_ready = record.value("ready_status").as_u64().unwrap_or_default();
        let status = Client::new().get(&self.node.status_url("/status")).await;
        let status = status.map(|answer| answer.json()["configuration_hash"].clone());
        if status != Ok(Value::from(self.hash.clone())) {
            self.fault(
                record,
                format!("status shows {status:?} instead of `{}`", self.hash),
            );
        }
        let ready = Client::new()
            .get(&self.node.status_url("/status/ready"))
            .await;
        let ready = ready.map(|answer| u64::from(answer.status));
        if is_known && ready != Ok(expected_ready) {
            self.fault(
                record,
                format!("readiness is {ready:?} instead of {expected_ready}"),
            );
        }
    }

    async fn wait_end(&mut self) -> Result<(), String> {
        let Some(mut link) = self.link.take() else {
            return Ok(());
        };
        let wait =
            async { while !matches!(link.event().await, Ok(SocketEvent::Closed) | Err(_)) {} };
        timeout(LIMIT, wait)
            .await
            .map_err(|error| error.to_string())
    }

    async fn other_certificate(&mut self) {
        self.link = None;
        let other = gen_cluster_certificate(30, CertificateVersion::V3).unwrap();
        if let Ok(mut stream) = self.port.accept(&other).await
            && head(&mut stream).await.is_ok()
        {
            self.faults
                .push("the node talks to a server with another certificate".to_owned());
        }
    }
}

async fn next(link: &mut Link) -> Result<SocketEvent, String> {
    loop {
        let event = timeout(LIMIT, link.event())
            .await
            .map_err(|error| error.to_string())?;
        match event.map_err(|error| error.to_string())? {
            SocketEvent::Pong => {}
            SocketEvent::Written if !link.is_writing() => return Ok(SocketEvent::Written),
            event => return Ok(event),
        }
    }
}

/// A request without what differs between nodes: values of the query, of Host and of the key.
fn shape(request: &str) -> Vec<String> {
    let query = |line: &str| {
        let target = line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let names = query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default());
        format!("{path} {}", names.collect::<Vec<_>>().join(","))
    };
    let mut lines = request.lines();
    let mut shape = vec![query(lines.next().unwrap_or_default())];
    shape.extend(lines.map(|line| match line.split_once(": ") {
        Some((name @ ("Host" | "Sec-WebSocket-Key"), _)) => name.to_owned(),
        _ => line.to_owned(),
    }));
    shape
}
