//! Facts about `datadog`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, Bench, Datagrams, Request, outcome, violations};

fn sent(mut config: Value, count: usize) -> Vec<String> {
    let agent = Datagrams::bind();
    config["host"] = "127.0.0.1".into();
    config["port"] = agent.port.into();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/").known_as(&bench, ALICE);
    request.log(&bench, &*handler, &outcome());
    agent.take(count)
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
    let agent = Datagrams::bind();
    let mut bench = Bench::new();
    let config = json!({"host": "127.0.0.1", "port": agent.port,
        "metrics": [{"name": "latency", "stat_type": "timer"}]});
    let handler = bench.handler(&DEFINITION, config);
    let mut without = Request::get("/");
    without.service = None;
    without.log(&bench, &*handler, &outcome());
    Request::get("/").log(&bench, &*handler, &outcome());
    assert_eq!(
        agent.take(1),
        ["kong.latency:9|ms|#name:backend_test,status:200"]
    );
    assert!(agent.is_empty());
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
