//! The recorded nodes' part against our control plane.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use test_support::{Client, Quickstart, QuickstartOptions};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use wire::socket::{End, Socket, SocketEvent};
use wire::v1::{PlaneFrame, decode_reconfigure};

use crate::Verdict;
use crate::plane::{connect, head, send};
use crate::records::{Record, Scenario, read};

/// How long a configuration may take: the control plane waits for the node's first ping, and
/// some of these nodes send none.
const PUSH: Duration = Duration::from_secs(8);
/// How long the control plane is given to say more, or to end the link.
const QUIET: Duration = Duration::from_secs(1);

/// Scenarios that go otherwise, what happens instead, and why.
const DIFFERENT: &[(&str, Outcome, &str)] = &[
    (
        "no-client-certificate",
        Outcome {
            status: 401,
            is_pushed: false,
            is_open: false,
        },
        "answered with 401 and a reason instead of being cut off",
    ),
    (
        "post",
        Outcome {
            status: 405,
            is_pushed: false,
            is_open: false,
        },
        "answered with 405 instead of being cut off",
    ),
    (
        "v2-with-rpc-off",
        Outcome {
            status: 101,
            is_pushed: false,
            is_open: true,
        },
        "the endpoint is always there, so that newer nodes find their way to v1",
    ),
    (
        "close-frame",
        Outcome {
            status: 101,
            is_pushed: false,
            is_open: false,
        },
        "the node leaves before the first ping, which the push waits for",
    ),
    (
        "version-newer-minor",
        OPEN,
        "newer minor versions are served and reported",
    ),
    (
        "ping-first",
        OPEN,
        "control frames may come before `basic_info`",
    ),
    (
        "ping-short",
        OPEN,
        "a ping without a hash only shows that the node lives",
    ),
    (
        "ping-empty",
        OPEN,
        "a ping without a hash only shows that the node lives",
    ),
    ("second-binary", OPEN, "a second `basic_info` is taken in"),
    ("pong-after", OPEN, "a pong nobody asked for is ignored"),
    ("error-frame", OPEN, "error reports are taken in"),
];

const OPEN: Outcome = Outcome {
    status: 101,
    is_pushed: true,
    is_open: true,
};

/// Scenarios that cannot be compared, and why.
const SKIPPED: &[(&str, &str)] = &[
    (
        "text-frame-first",
        "ours waits for the first binary frame, up to half a minute",
    ),
    (
        "configured-for-compat",
        "needs plugins the product does not have; the room `wire` proves \
      down-conversion against these payloads",
    ),
    ("plugin-missing-on-dp", "needs those plugins"),
    ("plugin-newer-on-dp", "needs those plugins"),
    ("plugin-other-major-on-dp", "needs those plugins"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    is_pushed: bool,
    is_open: bool,
}

pub(crate) async fn replay(path: &Path) -> Vec<Verdict> {
    let quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let mut verdicts = Vec::new();
    for scenario in read(path) {
        let name = scenario.name.as_str();
        let skipped = SKIPPED.iter().find(|(skipped, _)| *skipped == name);
        if let Some((_, why)) = skipped {
            verdicts.push(Verdict {
                scenario: scenario.name,
                faults: Vec::new(),
                note: Some(why),
                is_skipped: true,
            });
            continue;
        }
        let different = DIFFERENT.iter().find(|(different, ..)| *different == name);
        let expected = different.map_or_else(|| recorded(&scenario), |(_, outcome, _)| *outcome);
        let mut faults = Vec::new();
        let outcome = play(&quickstart, &scenario, expected.is_pushed, &mut faults).await;
        if outcome != expected {
            faults.push(format!("{outcome:?} instead of {expected:?}"));
        }
        judge_row(&quickstart, &scenario, different.is_some(), &mut faults).await;
        verdicts.push(Verdict {
            scenario: scenario.name,
            faults,
            note: different.map(|(.., why)| *why),
            is_skipped: false,
        });
    }
    verdicts
}

/// What the record says.
fn recorded(scenario: &Scenario) -> Outcome {
    let all = &scenario.records;
    let answer = all
        .iter()
        .find(|record| record.what() == "http-head cp->dp");
    let status = answer.and_then(|record| record.text("text").split(' ').nth(1)?.parse().ok());
    Outcome {
        status: status.unwrap_or(0),
        is_pushed: all
            .iter()
            .any(|record| record.what() == "frame cp->dp binary"),
        is_open: status == Some(101)
            && all.iter().any(|record| record.text("kind") == "still-open"),
    }
}

/// Says what the recorded node said.
async fn play(
    quickstart: &Quickstart,
    scenario: &Scenario,
    is_push_due: bool,
    faults: &mut Vec<String>,
) -> Outcome {
    let endpoint = quickstart.fact("control_plane_endpoint");
    let authority = endpoint.strip_prefix("https://").unwrap_or(endpoint);
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let identity = quickstart.node_identity();
    let identity = (scenario.name != "no-client-certificate").then_some(&identity);
    let mut stream = connect(port.parse().unwrap(), host, &quickstart.ca(), identity).await;
    let mut outcome = Outcome {
        status: 0,
        is_pushed: false,
        is_open: false,
    };
    let request = scenario
        .records
        .iter()
        .find(|r| r.what() == "http-head dp->cp");
    let request = request
        .unwrap()
        .text("text")
        .replace("127.0.0.1:21105", authority);
    send(&mut stream, &request).await;
    let Ok(answer) = head(&mut stream).await else {
        return outcome;
    };
    outcome.status = answer
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    if outcome.status != 101 {
        return outcome;
    }
    let mut socket = Socket::new(stream, End::Node, Vec::new(), 1 << 26).await;
    for record in &scenario.records {
        if record.text("kind") == "frame" && record.text("direction") == "dp->cp" {
            speak(&mut socket, record).await;
        }
    }
    listen(&mut socket, is_push_due, &mut outcome, faults).await;
    outcome
}

async fn speak(socket: &mut Socket<TlsStream<TcpStream>>, record: &Record) {
    let payload = match record.value("json") {
        Value::Null => record.payload(),
        json => json.to_string().into_bytes(),
    };
    let said = match record.text("opcode") {
        "binary" => socket.queue(payload),
        "ping" => socket.queue_ping(payload),
        "close" => {
            socket.close().await;
            Ok(())
        }
        _ => Ok(()),
    };
    // A link that ended meanwhile shows when it is listened to.
    drop(said);
}

/// Listens until the link ends or nothing more comes.
async fn listen(
    socket: &mut Socket<TlsStream<TcpStream>>,
    is_push_due: bool,
    outcome: &mut Outcome,
    faults: &mut Vec<String>,
) {
    outcome.is_open = true;
    loop {
        let is_waiting = is_push_due && !outcome.is_pushed;
        let limit = if is_waiting { PUSH } else { QUIET };
        let Ok(event) = timeout(limit, socket.event()).await else {
            return;
        };
        match event {
            Ok(SocketEvent::Binary(payload)) => {
                outcome.is_pushed = true;
                judge_push(&payload, faults);
            }
            Ok(SocketEvent::Closed) | Err(_) => {
                outcome.is_open = false;
                return;
            }
            Ok(_) => {}
        }
    }
}

/// A pushed configuration has what every recorded one has, and a hash that is its own.
fn judge_push(payload: &[u8], faults: &mut Vec<String>) {
    let pushed = match decode_reconfigure(payload, 1 << 28) {
        Ok(PlaneFrame::Reconfigure(pushed)) => pushed,
        other => return faults.push(format!("a frame that is no configuration: {other:?}")),
    };
    let table = &pushed.config_table;
    for (pointer, expected) in [
        ("/_format_version", Value::from("3.0")),
        ("/_transform", Value::from(false)),
        ("/workspaces/0/name", Value::from("default")),
        ("/parameters/0/key", Value::from("cluster_id")),
    ] {
        if table.pointer(pointer) != Some(&expected) {
            faults.push(format!("`{pointer}` is {:?}", table.pointer(pointer)));
        }
    }
    if !payload.starts_with(&[0x1f, 0x8b]) {
        faults.push("the frame is not gzip".to_owned());
    }
    // Down-converted configurations carry the hash of the original.
    let own = wire::hash::config_hash(table);
    if pushed
        .hashes
        .is_none_or(|hashes| hashes.config != pushed.config_hash)
    {
        faults.push("`hashes.config` is not `config_hash`".to_owned());
    }
    if own.routes == wire::EMPTY_HASH && table.get("routes").is_some() {
        faults.push("routes without a digest".to_owned());
    }
}

/// The node is listed as the reference lists it.
async fn judge_row(
    quickstart: &Quickstart,
    scenario: &Scenario,
    is_different: bool,
    faults: &mut Vec<String>,
) {
    let Some(record) = scenario.records.iter().find(|r| r.text("kind") == "row") else {
        return;
    };
    let row = record.value("row");
    if is_different || row.is_null() {
        return;
    }
    let id = row["id"].as_str().unwrap_or_default();
    let client: Client = quickstart.client();
    let answer = client
        .get(&format!("{}/nodes/{id}", quickstart.plane_url()))
        .await;
    let node = match answer {
        Ok(answer) if answer.status == 200 => answer.json()["item"].clone(),
        other => return faults.push(format!("the node is not listed: {other:?}")),
    };
    for member in ["version", "hostname", "config_hash"] {
        if node[member] != row[member] {
            faults.push(format!(
                "`{member}` is {} instead of {}",
                node[member], row[member]
            ));
        }
    }
    let status = row["sync_status"].as_str().unwrap_or_default();
    let shown = node["compatibility_status"].to_string();
    if status != "normal" && !shown.contains(status) {
        faults.push(format!("`{status}` is not shown: {shown}"));
    }
}
