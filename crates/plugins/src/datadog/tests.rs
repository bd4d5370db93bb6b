//! Facts about `datadog`.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, Bench, Request, outcome, violations};

fn agent() -> (UdpSocket, u16) {
    let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
    agent
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let port = agent.local_addr().unwrap().port();
    (agent, port)
}

fn receive(agent: &UdpSocket, count: usize) -> Vec<String> {
    let mut buffer = vec![0; 65_536];
    (0..count)
        .map(|_| {
            let length = agent.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        })
        .collect()
}

fn sent(mut config: Value, count: usize) -> Vec<String> {
    let (agent, port) = agent();
    config["host"] = "127.0.0.1".into();
    config["port"] = port.into();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/").known_as(&bench, ALICE);
    request.log(&bench, &*handler, &outcome());
    receive(&agent, count)
}

#[test]
fn a_request_becomes_the_metrics_of_the_default_list() {
    let tags = "name:backend_test,status:200,consumer:al-1,app:kong";
    assert_eq!(
        sent(json!({}), 6),
        [
            format!("kong.request.count:1|c|#{tags}"),
            format!("kong.latency:9|ms|#{tags}"),
            format!("kong.request.size:100|ms|#{tags}"),
            format!("kong.response.size:200|ms|#{tags}"),
            format!("kong.upstream_latency:4|ms|#{tags}"),
            format!("kong.kong_latency:2|ms|#{tags}"),
        ]
    );
}

#[test]
fn names_of_tags_follow_the_configuration() {
    let config = json!({
        "prefix": "edge", "service_name_tag": "svc", "status_tag": "code", "consumer_tag": "who",
        "metrics": [
            {"name": "latency", "stat_type": "distribution", "consumer_identifier": "consumer_id",
             "tags": ["t:1", "bare"]},
            {"name": "request_count", "stat_type": "counter", "sample_rate": 0.5},
        ],
    });
    let alice = "00000000_0000_0000_0000_00000000000d";
    assert_eq!(
        sent(config, 2),
        [
            format!("edge.latency:9|d|#svc:backend_test,code:200,who:{alice},t:1,bare"),
            "edge.request.count:1|c|@0.5|#svc:backend_test,code:200".to_owned(),
        ]
    );
}

#[test]
fn a_request_without_a_service_is_not_reported() {
    let (agent, port) = agent();
    let mut bench = Bench::new();
    let config = json!({"host": "127.0.0.1", "port": port,
        "metrics": [{"name": "latency", "stat_type": "timer"}]});
    let handler = bench.handler(&DEFINITION, config);
    let mut without = Request::get("/");
    without.service = None;
    without.log(&bench, &*handler, &outcome());
    Request::get("/").log(&bench, &*handler, &outcome());
    assert_eq!(
        receive(&agent, 1),
        ["kong.latency:9|ms|#name:backend_test,status:200"]
    );
    agent.set_nonblocking(true).unwrap();
    assert!(agent.recv(&mut [0; 64]).is_err());
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let config = json!({"port": 70_000, "metrics": [
        {"name": "latency", "stat_type": "counter"}, {"name": "own", "stat_type": "timer"},
    ]});
    let found = violations(&DEFINITION, config);
    for place in ["port", "metrics"] {
        assert!(
            found.iter().any(|text| text.starts_with(place)),
            "{place}: {found:?}"
        );
    }
}
