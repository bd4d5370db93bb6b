//! Facts about `prometheus`.

use std::sync::Arc;

use plugin_api::{Handler, Outcome, ResponseSource};
use serde_json::{Value, json};

use super::registry::{Observation, Place, Registry, SERIES_MAX};
use super::{DEFINITION, Figures, TargetHealth, TargetState, exposition, shows_targets};
use crate::measures::ModelCall;
use crate::testing::{ALICE, Bench, Request, outcome, violations};

/// The lines of a page with this beginning.
fn lines(bench: &Bench, beginning: &str) -> Vec<String> {
    let page = exposition(&bench.shared, &Figures::default());
    let lines = page.lines().filter(|line| line.starts_with(beginning));
    lines.map(str::to_owned).collect()
}

fn observed(config: Value) -> Bench {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/").known_as(&bench, ALICE);
    request.log(&bench, &*handler, &outcome());
    let refused = Outcome {
        status: 401,
        source: ResponseSource::Exit,
        backend_status: None,
        ..outcome()
    };
    Request::get("/").log(&bench, &*handler, &refused);
    bench
}

const PLACE: &str = r#"service="backend.test",route="00000000-0000-0000-0000-00000000000b""#;

#[test]
fn requests_are_counted_by_status_and_by_who_answered() {
    let bench = observed(json!({"status_code_metrics": true, "per_consumer": true}));
    assert_eq!(
        lines(&bench, "kong_http_requests_total"),
        [
            format!(
                "kong_http_requests_total{{{PLACE},code=\"200\",source=\"service\",\
                 workspace=\"default\",consumer=\"alice\"}} 1"
            ),
            format!(
                "kong_http_requests_total{{{PLACE},code=\"401\",source=\"kong\",\
                 workspace=\"default\",consumer=\"\"}} 1"
            ),
        ]
    );
}

#[test]
fn consumers_are_named_only_where_they_are_asked_for() {
    let bench = observed(json!({"bandwidth_metrics": true}));
    let label = |direction: &str| {
        format!(
            "kong_bandwidth_bytes{{{PLACE},direction=\"{direction}\",workspace=\"default\",\
             consumer=\"\"}}"
        )
    };
    assert_eq!(
        lines(&bench, "kong_bandwidth_bytes"),
        [
            format!("{} 200", label("ingress")),
            format!("{} 400", label("egress"))
        ]
    );
}

#[test]
fn times_fall_into_the_buckets_of_the_reference() {
    let bench = observed(json!({"latency_metrics": true}));
    let labels = format!("{PLACE},workspace=\"default\"");
    let kong = lines(&bench, "kong_kong_latency_ms");
    assert_eq!(kong.len(), 20);
    assert_eq!(
        kong[..2],
        [
            format!("kong_kong_latency_ms_bucket{{{labels},le=\"1\"}} 0"),
            format!("kong_kong_latency_ms_bucket{{{labels},le=\"2\"}} 2"),
        ]
    );
    // Only one of both requests reached the service.
    let upstream = lines(&bench, "kong_upstream_latency_ms");
    assert_eq!(upstream.len(), 16);
    assert_eq!(
        upstream[13..],
        [
            format!("kong_upstream_latency_ms_bucket{{{labels},le=\"+Inf\"}} 1"),
            format!("kong_upstream_latency_ms_count{{{labels}}} 1"),
            format!("kong_upstream_latency_ms_sum{{{labels}}} 4"),
        ]
    );
    assert_eq!(
        lines(&bench, "kong_request_latency_ms_sum")[0]
            .rsplit(' ')
            .next(),
        Some("18")
    );
}

#[test]
fn what_is_not_switched_on_is_not_collected() {
    let bench = observed(json!({}));
    for name in [
        "kong_http",
        "kong_bandwidth",
        "kong_kong",
        "kong_request",
        "kong_upstream",
    ] {
        assert_eq!(lines(&bench, name), [""; 0], "{name}");
    }
    assert_eq!(
        lines(&bench, "kong_datastore_reachable"),
        ["kong_datastore_reachable 0"]
    );
}

#[test]
fn a_request_without_a_route_is_not_counted() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"status_code_metrics": true}));
    let mut request = Request::get("/");
    request.with_exchange(&bench, |exchange| {
        exchange.route = None;
        handler.log(exchange, &outcome());
    });
    assert_eq!(lines(&bench, "kong_http_requests_total"), [""; 0]);
}

#[test]
fn what_cores_counted_is_summed_up() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"status_code_metrics": true}));
    let bench = Arc::new(bench);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (bench, handler) = (Arc::clone(&bench), Arc::clone(&handler));
            std::thread::spawn(move || {
                for _ in 0..1000 {
                    Request::get("/").log(&bench, &*handler, &outcome());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let found = lines(&bench, "kong_http_requests_total");
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with(" 4000"), "{found:?}");
}

#[test]
fn calls_of_language_models_are_counted() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"ai_metrics": true}));
    let mut request = Request::get("/");
    request.locals.insert(ModelCall {
        provider: "openai".to_owned(),
        model: "m\"1".to_owned(),
        prompt_tokens: 10,
        completion_tokens: 5,
        cost: 0.25,
        latency_ms: 600,
        ..ModelCall::default()
    });
    request.log(&bench, &*handler, &outcome());
    let labels = "ai_provider=\"openai\",ai_model=\"m\\\"1\",cache_status=\"\",vector_db=\"\",\
                  embeddings_provider=\"\",embeddings_model=\"\"";
    assert_eq!(
        lines(&bench, "kong_ai_llm_tokens_total"),
        [
            ("prompt_tokens", 10),
            ("completion_tokens", 5),
            ("total_tokens", 15)
        ]
        .map(|(kind, count)| format!(
            "kong_ai_llm_tokens_total{{{labels},token_type=\"{kind}\",workspace=\"default\"}} \
                 {count}"
        ))
    );
    assert!(lines(&bench, "kong_ai_llm_cost_total")[0].ends_with(" 0.25"));
    assert_eq!(lines(&bench, "kong_ai_llm_provider_latency_ms").len(), 17);
}

#[test]
fn callers_cannot_multiply_labels_without_end() {
    let registry = Registry::default();
    let observed = Observation {
        status: Some((200, true)),
        ..Observation::default()
    };
    for number in 0..SERIES_MAX + 10 {
        let place = Place {
            service: "s".into(),
            route: "r".into(),
        };
        registry.observe(place, number.to_string().into(), &observed);
    }
    let totals = registry.totals();
    assert_eq!((totals.requests.len(), totals.errors), (SERIES_MAX, 10));
}

#[test]
fn targets_are_shown_while_an_instance_asks_for_them() {
    let mut bench = Bench::new();
    let figures = Figures {
        targets: vec![TargetHealth {
            upstream: "up".to_owned(),
            target: "a.test:80".to_owned(),
            address: "10.0.0.1:80".to_owned(),
            state: TargetState::Unhealthy,
        }],
        ..Figures::default()
    };
    assert!(!exposition(&bench.shared, &figures).contains("target_health"));
    let handler: Arc<dyn Handler> =
        bench.handler(&DEFINITION, json!({"upstream_health_metrics": true}));
    assert!(shows_targets(&bench.shared));
    let page = exposition(&bench.shared, &figures);
    let labels = "upstream=\"up\",target=\"a.test:80\",address=\"10.0.0.1:80\"";
    for (state, value) in [("healthchecks_off", 0), ("healthy", 0), ("unhealthy", 1)] {
        let line = format!(
            "kong_upstream_target_health{{{labels},state=\"{state}\",subsystem=\"http\"}} {value}\n"
        );
        assert!(page.contains(&line), "{page}");
    }
    drop(handler);
    assert!(!shows_targets(&bench.shared));
}

#[test]
fn what_the_node_counts_beside_the_reference_is_shown_once_there_is_some() {
    let figures = Figures {
        own: vec![
            ("stream_sessions", "Sessions", 3),
            ("none_of_it", "None", 0),
        ],
        ..Figures::default()
    };
    let page = exposition(&Bench::new().shared, &figures);
    let lines = "# HELP gatehouse_stream_sessions_total Sessions\n\
                 # TYPE gatehouse_stream_sessions_total counter\n\
                 gatehouse_stream_sessions_total 3\n";
    assert!(page.contains(lines), "{page}");
    assert!(!page.contains("none_of_it"), "{page}");
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"per_consumer": "yes", "own": 1})),
        ["own: unknown field", "per_consumer: expected a boolean"]
    );
}
