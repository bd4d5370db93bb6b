//! Over real sockets, the way a probe asks.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use test_support::Client;

use super::{Active, Counters, Facts, StatusApi, StreamCounters};
use crate::surface::{Paths, Server, Shown};
use crate::testing;

struct Running {
    _server: Server,
    base: String,
    active: Arc<Mutex<Active>>,
}

async fn start() -> Running {
    let active = Arc::new(Mutex::new(Active {
        hash: None,
        is_empty: true,
        ..Active::default()
    }));
    let seen = Arc::clone(&active);
    let counters = || Counters {
        total_requests: 7,
        datagrams_dropped: 2,
        handshake_failures: 3,
        stream: StreamCounters {
            sessions: 4,
            ..StreamCounters::default()
        },
        ..Counters::default()
    };
    let facts = Facts::new(counters, move || seen.lock().clone(), None);
    let listen = conf::Listen::plain("127.0.0.1:0".parse().unwrap());
    let server = http::HeaderValue::from_static("gatehouse/test");
    let shown = Shown {
        server: Some(server),
        shows_latency: true,
    };
    let surface = Arc::new(Paths::new(StatusApi::new(facts, snapshot()), shown));
    let server = Server::start(
        &[listen],
        surface,
        None,
        &crate::handover::Sockets::default(),
    )
    .await
    .unwrap();
    let base = format!("http://{}", server.addresses()[0]);
    Running {
        _server: server,
        base,
        active,
    }
}

/// What the node runs.
fn snapshot() -> crate::snapshot::SharedSnapshot {
    let snapshot = testing::snapshot("routes: [{name: r, paths: [/a]}]");
    Arc::new(arc_swap::ArcSwap::from_pointee(snapshot))
}

async fn get(running: &Running, path: &str) -> (u16, Value) {
    let answer = Client::new()
        .get(&format!("{}{path}", running.base))
        .await
        .unwrap();
    assert_eq!(answer.header("server"), Some("gatehouse/test"));
    assert!(
        answer
            .header("x-kong-admin-latency")
            .unwrap()
            .parse::<u64>()
            .is_ok()
    );
    (answer.status, answer.json())
}

#[tokio::test]
async fn readiness_follows_the_configuration_and_draining() {
    let running = start().await;
    let reason = async || {
        let (status, body) = get(&running, "/status/ready").await;
        (status, body["message"].as_str().unwrap().to_owned())
    };

    let nothing = reason().await;
    *running.active.lock() = Active {
        hash: Some("0".repeat(32)),
        is_empty: true,
        ..Active::default()
    };
    let empty = reason().await;
    *running.active.lock() = Active {
        hash: Some("a".repeat(32)),
        is_empty: false,
        ..Active::default()
    };
    let ready = reason().await;
    let drain = serde_json::json!({"status": "draining"});
    let url = format!("{}/status/ready", running.base);
    let drained = Client::new()
        .json("POST", &url, &drain)
        .await
        .unwrap()
        .status;
    let after = reason().await;

    let text = "no configuration available (configuration hash is not initialized)";
    assert_eq!(nothing, (503, text.to_owned()));
    let text = "no configuration available (empty configuration present)";
    assert_eq!(empty, (503, text.to_owned()));
    assert_eq!(ready, (200, "ready".to_owned()));
    assert_eq!(drained, 204);
    assert_eq!(after, (503, "draining".to_owned()));
}

#[tokio::test]
async fn status_shows_counters_hash_and_memory_in_the_unit_asked_for() {
    let running = start().await;
    *running.active.lock() = Active {
        hash: Some("a".repeat(32)),
        is_empty: false,
        ..Active::default()
    };

    let (status, body) = get(&running, "/status").await;
    let (_, kibi) = get(&running, "/status?unit=k&scale=3").await;
    let (_, bytes) = get(&running, "/status/?unit=b").await;
    let wrong_unit = get(&running, "/status?unit=x").await;
    let wrong_scale = get(&running, "/status?scale=-1").await;

    assert_eq!(status, 200);
    assert_eq!(body["server"]["total_requests"], 7);
    // Only what was met is told.
    assert_eq!(
        body["limits_met"],
        serde_json::json!({"datagrams_dropped": 2, "handshake_failures": 3})
    );
    assert_eq!(
        body["stream"],
        serde_json::json!({"connections": 0, "received_bytes": 0, "refused": 0, "sent_bytes": 0,
                           "sessions": 4, "unreachable": 0})
    );
    assert_eq!(body["configuration_hash"], "a".repeat(32));
    let memory = |body: &Value| body["memory"]["workers_lua_vms"][0]["http_allocated_gc"].clone();
    assert!(memory(&body).as_str().unwrap().ends_with(" MiB"));
    let kibi = memory(&kibi);
    let decimals = kibi
        .as_str()
        .unwrap()
        .strip_suffix(" KiB")
        .unwrap()
        .split_once('.');
    assert_eq!(decimals.unwrap().1.len(), 3);
    assert!(memory(&bytes).as_u64().unwrap() > 0);
    assert_eq!(wrong_unit.0, 400);
    assert_eq!(
        wrong_unit.1["message"],
        "invalid unit 'x' (expected 'k/K', 'm/M', or 'g/G')"
    );
    assert_eq!(
        wrong_scale.1["message"],
        "scale must be equal or greater than 0"
    );
}

#[tokio::test]
async fn unknown_paths_and_verbs_are_refused() {
    let running = start().await;
    let url = format!("{}/status", running.base);

    let unknown = get(&running, "/nothing").await;
    let wrong = Client::new()
        .json("POST", &url, &Value::Null)
        .await
        .unwrap();
    let empty = bytes::Bytes::new();
    let options = Client::new()
        .send("OPTIONS", &url, &[], empty.clone())
        .await
        .unwrap();
    let head = Client::new().send("HEAD", &url, &[], empty).await.unwrap();

    assert_eq!(
        (unknown.0, &unknown.1["message"]),
        (404, &"Not found".into())
    );
    assert_eq!(
        (wrong.status, wrong.json()["message"].as_str()),
        (405, Some("Method not allowed"))
    );
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn address_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let facts = Facts::new(
        Counters::default,
        || Active {
            hash: None,
            is_empty: true,
            ..Active::default()
        },
        None,
    );
    let shown = Shown {
        server: None,
        shows_latency: false,
    };
    let surface = Arc::new(Paths::new(StatusApi::new(facts, snapshot()), shown));

    let listen = conf::Listen::plain(address);
    let error = Server::start(
        &[listen],
        surface,
        None,
        &crate::handover::Sockets::default(),
    )
    .await
    .unwrap_err();

    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(error.to_string().contains("status_listen"), "{error}");
}

#[tokio::test]
async fn a_route_is_explained_to_callers_on_this_machine() {
    let running = start().await;
    let url = format!("{}/explain", running.base);
    let ask = async |body: Value| {
        let answer = Client::new().json("POST", &url, &body).await.unwrap();
        (answer.status, answer.json())
    };
    let (status, told) = ask(serde_json::json!({"path": "/a/b"})).await;
    assert_eq!((status, &told["route"]["name"]), (200, &"r".into()));
    let (status, told) = ask(serde_json::json!({"path": "/b"})).await;
    assert_eq!((status, &told["route"]), (200, &Value::Null));
    assert_eq!(told["considered"][0]["unmet"][0]["field"], "paths");
    let (status, told) = ask(serde_json::json!({"way": "/b"})).await;
    assert_eq!(status, 400);
    assert!(
        told["message"].as_str().unwrap().contains("`way`"),
        "{told}"
    );
    assert_eq!(get(&running, "/explain").await.0, 405);
}
