//! The node's link against a hand-made control plane over real TLS and real proxies.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do without ends the test"
)]

mod plane;

use std::time::Duration;

use gatehouse_gateway::outlet::{ClientOptions, LinkError};
use gatehouse_gateway::telemetry::{RequestRecord, Sender, TelemetrySink};
use pki::CertificateVersion;
use plane::{Notebook, Plane, Running, identity, settings};
use serde_json::json;
use test_support::{Squid, SquidOptions, TestAuthority, eventually};
use wire::EMPTY_HASH;
use wire::socket::SocketEvent;
use wire::telemetry::{Acknowledge, Batch};

const ONES: &str = "11111111111111111111111111111111";
const TWOS: &str = "22222222222222222222222222222222";

fn shared(version: CertificateVersion) -> (String, String) {
    let issued = pki::gen_cluster_certificate(30, version).unwrap();
    (issued.cert_pem, issued.key_pem)
}

/// A control plane in shared mode and the settings of a node that belongs to it.
async fn shared_plane(more: &[(&str, &str)]) -> (Plane, conf::Settings) {
    let (cert, key) = shared(CertificateVersion::V1);
    let plane = Plane::start(&cert, &key).await;
    let address = plane.address.to_string();
    let mut properties = vec![
        ("cluster_cert", cert.as_str()),
        ("cluster_cert_key", key.as_str()),
        ("cluster_control_plane", address.as_str()),
    ];
    properties.extend(more);
    (plane, settings(&properties))
}

#[tokio::test]
async fn request_and_first_frames_are_those_of_a_real_node() {
    let (plane, settings) = shared_plane(&[("cluster_dp_labels", "team:edge")]).await;
    let _running = Running::start(&settings, &Notebook::new(EMPTY_HASH));
    let mut link = plane.accept().await;
    let mut lines = link.head.lines();
    assert_eq!(
        lines.next().unwrap(),
        "GET /v1/outlet?node_id=b0000000-0000-4000-8000-000000000001&node_hostname=edge-1\
         &node_version=3.9.3 HTTP/1.1"
    );
    assert_eq!(lines.next().unwrap(), "Upgrade: websocket");
    assert_eq!(lines.next().unwrap(), format!("Host: {}", plane.address));
    assert!(lines.next().unwrap().starts_with("Sec-WebSocket-Key: "));
    let rest: Vec<_> = lines.collect();
    assert_eq!(
        rest,
        ["Sec-WebSocket-Version: 13", "Connection: Upgrade", ""]
    );
    assert_eq!(link.server_name.as_deref(), Some("kong_clustering"));
    assert_eq!(link.certificates, 1);

    let info = link.json().await;
    assert_eq!(info["type"], "basic_info");
    assert_eq!(info["plugins"], json!([{"name": "cors", "version": null}]));
    assert_eq!(info["labels"], json!({"team": "edge"}));
    assert_eq!(info["filters"], json!({}));
    assert_eq!(info["process_conf"]["role"], "data_plane");
    assert_eq!(link.ping().await, EMPTY_HASH);
}

#[tokio::test]
async fn pushed_configuration_is_applied_and_acknowledged_at_once() {
    let (plane, settings) = shared_plane(&[]).await;
    let notebook = Notebook::new(EMPTY_HASH);
    let running = Running::start(&settings, &notebook);
    let mut link = plane.accept().await;
    assert_eq!(link.ping().await, EMPTY_HASH);
    link.push("a", ONES).await;
    assert_eq!(link.ping().await, ONES);
    // The same again does nothing but a ping.
    link.push("again", ONES).await;
    assert_eq!(link.ping().await, ONES);
    link.push("b", TWOS).await;
    assert_eq!(link.ping().await, TWOS);
    assert_eq!(notebook.names(), ["a", "b"]);
    assert!(running.state.borrow().is_connected);
}

#[tokio::test]
async fn only_the_newest_of_waiting_configurations_is_applied() {
    let (plane, settings) = shared_plane(&[]).await;
    let notebook = Notebook::new(EMPTY_HASH);
    let _running = Running::start(&settings, &notebook);
    let mut link = plane.accept().await;
    link.ping().await;
    let gate = notebook.gate.lock().await;
    for (name, hash) in [
        ("first", ONES),
        ("second", "b"),
        ("third", "c"),
        ("last", TWOS),
    ] {
        link.push(name, &hash.repeat(32 / hash.len())).await;
    }
    // A pong shows that all four have been read.
    link.socket.queue_ping("").unwrap();
    while link.event().await != SocketEvent::Pong {}
    drop(gate);
    eventually("the last is applied", async || {
        (notebook.names().last().map(String::as_str) == Some("last")).then_some(())
    })
    .await;
    assert_eq!(notebook.names(), ["first", "last"]);
}

#[tokio::test]
async fn refused_configuration_is_reported_only_to_platforms_that_ask_for_it() {
    let (plane, settings) = shared_plane(&[("konnect_mode", "on")]).await;
    let notebook = Notebook::new(ONES);
    let _running = Running::start(&settings, &notebook);
    let mut link = plane.accept().await;
    link.json().await;
    link.push("bad", TWOS).await;
    let report = link.json().await;
    assert_eq!(report["type"], "error");
    assert_eq!(report["error"]["config_hash"], TWOS);
    assert_eq!(report["error"]["message"], "it is bad");
    link.push("good", TWOS).await;
    assert_eq!(link.ping().await, TWOS);

    let (plane, settings) = shared_plane(&[]).await;
    let _running = Running::start(&settings, &notebook);
    let mut link = plane.accept().await;
    link.json().await;
    link.push("bad", ONES).await;
    link.push("good again", ONES).await;
    // Two pings, the first and that of what was applied, and nothing between.
    let mut events = Vec::new();
    while events.len() < 2 {
        match link.event().await {
            SocketEvent::Ping(payload) => events.push(payload),
            SocketEvent::Binary(payload) => panic!("{payload:?}"),
            _ => {}
        }
    }
    assert_eq!(events, [TWOS, ONES]);
}

#[tokio::test]
async fn damaged_frames_end_the_link_and_odd_ones_do_not() {
    let (plane, settings) = shared_plane(&[]).await;
    let notebook = Notebook::new(ONES);
    let running = Running::start(&settings, &notebook);
    let whole = wire::gzip_json(&json!({"type": "reconfigure", "config_table": {}})).unwrap();
    let not_json = wire::gzip_json("text").unwrap().slice(..15);
    for damaged in [
        b"\0\x01\x02".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        not_json.to_vec(),
    ] {
        let mut link = plane.accept().await;
        assert_eq!(link.ping().await, ONES);
        link.send(damaged).await;
        link.end().await;
        running.fails_with("arrived damaged").await;
    }
    let mut link = plane.accept().await;
    assert_eq!(link.ping().await, ONES);
    for odd in [
        json!({"type": "nope"}),
        json!({"type": "reconfigure", "config_hash": TWOS}),
        json!([]),
    ] {
        link.send(wire::gzip_json(&odd).unwrap()).await;
    }
    link.socket.queue_ping("x").unwrap();
    while link.event().await != SocketEvent::Pong {}
    link.push("good", TWOS).await;
    assert_eq!(link.ping().await, TWOS);
}

#[tokio::test]
async fn frame_above_the_limit_ends_the_link() {
    let (plane, settings) = shared_plane(&[("cluster_max_payload", "4194304")]).await;
    let running = Running::start(&settings, &Notebook::new(ONES));
    let mut link = plane.accept().await;
    link.ping().await;
    link.socket.queue(vec![0; 4_194_305]).unwrap();
    link.end().await;
    running.fails_with("larger than 4194304 bytes").await;
}

#[tokio::test]
async fn silence_ends_the_link_and_it_is_opened_again() {
    let (plane, settings) = shared_plane(&[]).await;
    let options = ClientOptions {
        silence: Duration::from_millis(300),
        reconnect: (Duration::from_millis(20), Duration::from_millis(50)),
        ..ClientOptions::of(&settings, identity(), &[])
    };
    let running = Running::with(&settings, &Notebook::new(ONES), options);
    let first = plane.accept().await;
    running.fails_with("nothing was heard").await;
    let mut second = plane.accept().await;
    assert_eq!(second.ping().await, ONES);
    drop(first);
}

#[tokio::test]
async fn pings_are_repeated() {
    let (plane, settings) = shared_plane(&[]).await;
    let options = ClientOptions {
        ping_interval: Duration::from_millis(50),
        ..ClientOptions::of(&settings, identity(), &[])
    };
    let _running = Running::with(&settings, &Notebook::new(ONES), options);
    let mut link = plane.accept().await;
    for _ in 0..4 {
        assert_eq!(link.ping().await, ONES);
    }
}

#[tokio::test]
async fn shutdown_closes_the_link() {
    let (plane, settings) = shared_plane(&[]).await;
    let running = Running::start(&settings, &Notebook::new(ONES));
    let mut link = plane.accept().await;
    link.ping().await;
    running.stop.send_replace(true);
    link.end().await;
    tokio::time::timeout(plane::LIMIT, running.task)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn answers_that_are_no_link_say_what_to_do() {
    let (plane, settings) = shared_plane(&[]).await;
    let running = Running::start(&settings, &Notebook::new(ONES));
    for (answer, text) in [
        (
            "HTTP/1.1 404 Not Found\r\n\r\n",
            "there is no control plane at this address",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
            "register the certificate",
        ),
        (
            "HTTP/1.1 401 No\r\nContent-Length: 23\r\n\r\n{\"message\":\"own words\"}\n",
            "status 401: own words",
        ),
        (
            "HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "`Sec-WebSocket-Accept` is wrong",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "is no HTTP"),
        ("", "closed before an answer"),
    ] {
        plane.answer(answer).await;
        running.fails_with(text).await;
    }
    plane
        .answer("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n")
        .await;
    running.fails_with("busy").await;
    let retry_after = match running.state.borrow().last_error.clone() {
        Some(LinkError::Busy { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    };
    assert_eq!(retry_after, Some(Duration::from_secs(1)));
    plane.accept().await;
}

#[tokio::test]
async fn other_certificate_than_the_shared_one_is_refused() {
    let (plane, mut settings) = shared_plane(&[]).await;
    let (other, key) = shared(CertificateVersion::V3);
    settings.cluster_cert = Some(other);
    settings.cluster_cert_key = Some(conf::Secret::new(key));
    let running = Running::start(&settings, &Notebook::new(ONES));
    plane.failure().await;
    running
        .fails_with("presents another certificate than `cluster_cert`")
        .await;
}

#[tokio::test]
async fn pki_mode_checks_authority_and_name() {
    let authority = TestAuthority::new("the authority");
    let server = authority.server(&["cp.test"]);
    let client = authority.client("node");
    let plane = Plane::start(&server.certificate, &server.key).await;
    let address = plane.address.to_string();
    let stranger = TestAuthority::new("a stranger");
    let properties = |name: &'static str, ca: &str| {
        settings(&[
            ("cluster_mtls", "pki"),
            ("cluster_cert", &client.certificate),
            ("cluster_cert_key", &client.key),
            ("cluster_ca_cert", ca),
            ("cluster_server_name", name),
            ("cluster_control_plane", &address),
        ])
    };
    {
        let running = Running::start(
            &properties("cp.test", authority.pem()),
            &Notebook::new(ONES),
        );
        let link = plane.accept().await;
        assert_eq!(link.server_name.as_deref(), Some("cp.test"));
        assert_eq!(link.certificates, 1);
        running.task.abort();
    }
    for (name, ca, text) in [
        ("other.test", authority.pem(), "not acceptable"),
        ("cp.test", stranger.pem(), "is not trusted"),
    ] {
        let running = Running::start(&properties(name, ca), &Notebook::new(ONES));
        plane.failure().await;
        running.fails_with(text).await;
        running.task.abort();
    }
}

#[tokio::test]
async fn unreachable_hosts_and_names_are_told_apart() {
    let (plane, mut settings) = shared_plane(&[]).await;
    drop(plane);
    let running = Running::start(&settings, &Notebook::new(ONES));
    running.fails_with("cannot be reached").await;
    settings.cluster_control_plane.host = "does-not-exist.invalid".to_owned();
    let running = Running::start(&settings, &Notebook::new(ONES));
    running.fails_with("cannot be resolved").await;
}

#[tokio::test]
async fn link_goes_through_a_proxy_with_credentials() {
    let authority = TestAuthority::new("proxy authority");
    let credentials = Some(("us er".to_owned(), "p@ss:w/rd".to_owned()));
    let asking = SquidOptions {
        credentials,
        ..SquidOptions::default()
    };
    let plain = Squid::start(&asking).await;
    let tls = Some(authority.server(&["localhost"]));
    let secured = Squid::start(&SquidOptions { tls, ..asking }).await;
    for (squid, scheme) in [(&plain, "http"), (&secured, "https")] {
        let url =
            |password: &str| format!("{scheme}://us%20er:{password}@localhost:{}", squid.port());
        let common = [
            ("cluster_use_proxy", "on"),
            ("lua_ssl_trusted_certificate", authority.pem()),
        ];
        let right = url("p%40ss%3Aw%2Frd");
        let properties = [&common[..], &[("proxy_server", right.as_str())]].concat();
        let (plane, settings) = shared_plane(&properties).await;
        let running = Running::start(&settings, &Notebook::new(ONES));
        let mut link = plane.accept().await;
        assert_eq!(link.ping().await, ONES);
        running.task.abort();

        let wrong = url("wrong");
        let properties = [&common[..], &[("proxy_server", wrong.as_str())]].concat();
        let (_plane, settings) = shared_plane(&properties).await;
        let running = Running::start(&settings, &Notebook::new(ONES));
        let error = running.fails_with("(407)").await;
        assert!(
            error.contains("`proxy_server`") && !error.contains("wrong"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn telemetry_is_sent_acknowledged_and_sent_again_after_a_lost_link() {
    let (cert, key) = shared(CertificateVersion::V3);
    let plane = Plane::start(&cert, &key).await;
    let address = plane.address.to_string();
    let settings = settings(&[
        ("cluster_cert", &cert),
        ("cluster_cert_key", &key),
        ("cluster_telemetry_endpoint", &address),
        ("analytics_flush_interval", "0.1"),
    ]);
    let sink = TelemetrySink::enabled();
    let core = sink.core();
    let sender = Sender::new(&settings, identity(), sink).unwrap().unwrap();
    let sender = sender.with_reconnect(Duration::from_millis(20), Duration::from_millis(50));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let task = tokio::spawn(sender.run(stopped));
    let record = |status| RequestRecord {
        status,
        ..RequestRecord::default()
    };
    let next = async |link: &mut plane::Accepted| loop {
        if let SocketEvent::Binary(payload) = link.event().await {
            return Batch::decode(&payload).unwrap();
        }
    };

    core.push(&record(200));
    let mut link = plane.accept().await;
    assert!(
        link.head.starts_with("GET /v1/telemetry?node_id=b0000000-"),
        "{}",
        link.head
    );
    let first = next(&mut link).await;
    assert_eq!((first.sequence, first.records[0].status), (1, 200));
    let acknowledge = Acknowledge {
        stream: first.stream,
        sequence: 1,
    };
    link.send(acknowledge.encode()).await;
    core.push(&record(201));
    assert_eq!(next(&mut link).await.records[0].status, 201);
    drop(link);

    let mut link = plane.accept().await;
    let again = next(&mut link).await;
    assert_eq!((again.stream, again.sequence), (first.stream, 2));
    core.push(&record(202));
    stop.send_replace(true);
    let last = next(&mut link).await;
    assert_eq!((last.sequence, last.records[0].status), (3, 202));
    link.send(
        Acknowledge {
            stream: first.stream,
            sequence: 3,
        }
        .encode(),
    )
    .await;
    link.end().await;
    tokio::time::timeout(plane::LIMIT, task)
        .await
        .unwrap()
        .unwrap();
}
