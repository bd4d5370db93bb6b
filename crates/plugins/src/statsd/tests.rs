//! Facts about `statsd`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use super::DEFINITION;
use super::sender::pack;
use crate::testing::{ALICE, Bench, Datagrams, Request, outcome, violations};

/// What a server gets of one request of Alice's.
fn sent(mut config: Value, count: usize) -> Vec<String> {
    let server = Datagrams::bind();
    config["host"] = "127.0.0.1".into();
    config["port"] = server.port.into();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/").known_as(&bench, ALICE);
    request.log(&bench, &*handler, &outcome());
    server.take(count)
}

#[test]
fn a_request_becomes_the_metrics_of_the_default_list() {
    let route = "00000000-0000-0000-0000-00000000000b";
    assert_eq!(
        sent(json!({}), 12),
        [
            "kong.service.backend_test.request.count:1|c".to_owned(),
            "kong.service.backend_test.latency:9|ms".to_owned(),
            "kong.service.backend_test.request.size:100|c".to_owned(),
            "kong.service.backend_test.status.200:1|c".to_owned(),
            "kong.service.backend_test.response.size:200|c".to_owned(),
            "kong.service.backend_test.user.uniques:al-1|s".to_owned(),
            "kong.service.backend_test.user.al-1.request.count:1|c".to_owned(),
            "kong.service.backend_test.upstream_latency:4|ms".to_owned(),
            "kong.service.backend_test.kong_latency:2|ms".to_owned(),
            "kong.service.backend_test.user.al-1.status.200:1|c".to_owned(),
            format!(
                "kong.service.backend_test.workspace.{}.status.200:1|c",
                entities::DEFAULT_WORKSPACE
            ),
            format!("kong.route.{route}.user.al-1.status.200:1|c"),
        ]
    );
}

#[test]
fn names_follow_the_configuration() {
    let config = json!({
        "prefix": "edge",
        "hostname_in_prefix": true,
        "metrics": [
            {"name": "unique_users", "stat_type": "set", "consumer_identifier": "username"},
            {"name": "latency", "stat_type": "histogram", "sample_rate": 0.25,
             "service_identifier": "service_id"},
            {"name": "request_count", "stat_type": "meter", "service_identifier": "service_name"},
            {"name": "status_count_per_workspace", "stat_type": "counter", "sample_rate": 1,
             "workspace_identifier": "workspace_name"},
        ],
    });
    assert_eq!(
        sent(config, 4),
        [
            "edge.node.bench.service.backend_test.user.uniques:alice|s",
            "edge.node.bench.service.00000000-0000-0000-0000-00000000000c.latency:9|h|@0.25",
            "edge.node.bench.service.unnamed.request.count:1|m",
            "edge.node.bench.service.backend_test.workspace.default.status.200:1|c",
        ]
    );
}

#[test]
fn tags_take_the_place_of_long_names() {
    let config = json!({"tag_style": "dogstatsd", "metrics": [
        {"name": "status_count", "stat_type": "counter", "sample_rate": 1},
        {"name": "request_count", "stat_type": "counter", "sample_rate": 1,
         "workspace_identifier": "workspace_name"},
    ]});
    assert_eq!(
        sent(config, 1),
        ["kong.request.count:1|c|#service:backend.test,\
             route:00000000-0000-0000-0000-00000000000b,workspace:default,consumer:al-1,\
             node:bench,status:200"]
    );
}

#[test]
fn a_request_that_reached_no_service_has_no_time_of_it() {
    let server = Datagrams::bind();
    let mut bench = Bench::new();
    let config = json!({"host": "127.0.0.1", "port": server.port, "metrics": [
        {"name": "upstream_latency", "stat_type": "timer"},
        {"name": "kong_latency", "stat_type": "timer"},
    ]});
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/");
    request.service = None;
    let outcome = plugin_api::Outcome {
        backend_status: None,
        ..outcome()
    };
    request.log(&bench, &*handler, &outcome);
    assert_eq!(server.take(1), ["kong.global.unmatched.kong_latency:2|ms"]);
}

#[test]
fn only_statuses_of_the_ranges_are_reported() {
    let server = Datagrams::bind();
    let mut bench = Bench::new();
    let config = json!({"host": "127.0.0.1", "port": server.port,
        "allow_status_codes": ["200-299", "503-503"],
        "metrics": [{"name": "status_count", "stat_type": "counter", "sample_rate": 1}]});
    let handler = bench.handler(&DEFINITION, config);
    for status in [302, 404, 503, 204] {
        let outcome = plugin_api::Outcome {
            status,
            ..outcome()
        };
        Request::get("/").log(&bench, &*handler, &outcome);
    }
    assert_eq!(
        server.take(2),
        [
            "kong.service.backend_test.status.503:1|c",
            "kong.service.backend_test.status.204:1|c"
        ]
    );
}

#[test]
fn lines_go_over_one_connection_with_tcp() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let mut bench = Bench::new();
    let config = json!({"host": "127.0.0.1", "port": port, "use_tcp": true, "metrics": [
        {"name": "request_count", "stat_type": "counter", "sample_rate": 1},
        {"name": "latency", "stat_type": "timer"},
    ]});
    let handler = bench.handler(&DEFINITION, config);
    for _ in 0..2 {
        Request::get("/").log(&bench, &*handler, &outcome());
    }
    let (stream, _) = server.accept().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let lines: Vec<String> = BufReader::new(stream)
        .lines()
        .take(4)
        .map(Result::unwrap)
        .collect();
    let [count, latency] = ["request.count:1|c", "latency:9|ms"]
        .map(|line| format!("kong.service.backend_test.{line}"));
    assert_eq!(
        lines,
        [&count, &latency, &count, &latency].map(Clone::clone)
    );
}

#[test]
fn datagrams_are_filled_up_to_their_size() {
    let lines = ["aaaa", "bbbb", "cccc", "dddddddddddd", "e"];
    let packed = |size| {
        let packets = pack(lines.iter().map(|line| line.as_bytes()), size);
        let text = |packet| String::from_utf8(packet).unwrap();
        packets.into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(packed(0), lines);
    assert_eq!(packed(9), ["aaaa\nbbbb", "cccc", "dddddddddddd", "e"]);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let config = json!({
        "allow_status_codes": ["2xx"], "udp_packet_size": 70_000, "tag_style": "own",
        "metrics": [{"name": "request_count", "stat_type": "counter"}],
    });
    let found = violations(&DEFINITION, config);
    for place in [
        "allow_status_codes",
        "udp_packet_size",
        "tag_style",
        "metrics",
    ] {
        assert!(
            found.iter().any(|text| text.starts_with(place)),
            "{place}: {found:?}"
        );
    }
}
