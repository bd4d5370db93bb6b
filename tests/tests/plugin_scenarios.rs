//! Plugins through a node: requests in, exact status, headers and bodies out, one row each.

use std::net::UdpSocket;
use std::time::Duration;

use bytes::Bytes;
use test_support::{Answer, Backend, Client, Node};

/// A plugin on a route of its own, what is asked there, and what comes of it.
struct Scenario {
    /// The plugins of the route, as they stand in a declarative file.
    plugins: &'static str,
    /// What is asked, in order.
    steps: &'static [Step],
}

struct Step {
    method: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    /// Headers of the answer with what they begin with.
    answer: &'static [(&'static str, &'static str)],
    /// Headers that the service gets, with what they begin with.
    service: &'static [(&'static str, &'static str)],
}

const GET: Step = Step {
    method: "GET",
    headers: &[],
    body: "",
    status: 200,
    answer: &[],
    service: &[],
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// One row for each plugin and behaviour; `N` is the number of the route.
const SCENARIOS: &[Scenario] = &[
    Scenario {
        plugins: "- {name: standard-webhooks, config: {secret_v1: c2VjcmV0LWtleS1mb3ItdGVzdA==, \
                  tolerance_second: 1000000000}}",
        steps: &[
            Step {
                method: "POST",
                headers: &[
                    ("webhook-id", "msg_1"),
                    ("webhook-timestamp", "1700000000"),
                    (
                        "webhook-signature",
                        "v1,Bxq7TM2UQDqXxkkwsebPVS69ueVBCk72rTJBmXYO8w4=",
                    ),
                ],
                body: r#"{"a":1}"#,
                ..GET
            },
            Step {
                method: "POST",
                body: r#"{"a":1}"#,
                status: 400,
                ..GET
            },
        ],
    },
    Scenario {
        plugins: "- {name: zipkin, config: {sample_ratio: 1, http_response_header_for_traceid: X-Trace}}",
        steps: &[
            Step {
                headers: &[("traceparent", PARENT)],
                answer: &[("x-trace", "4bf92f3577b34da6a3ce929d0e0e4736")],
                service: &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-")],
                ..GET
            },
            Step {
                service: &[("x-b3-sampled", "1")],
                ..GET
            },
        ],
    },
    Scenario {
        plugins: "- {name: opentelemetry, config: {traces_endpoint: \"http://127.0.0.1:1/\", \
                  sampling_rate: 1}}",
        steps: &[
            Step {
                headers: &[("traceparent", PARENT)],
                service: &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-")],
                ..GET
            },
            Step {
                service: &[("traceparent", "00-")],
                ..GET
            },
        ],
    },
    Scenario {
        plugins: "- {name: session, config: {secret: s}}\n    - {name: key-auth, config: {anonymous: nobody}}",
        steps: &[
            Step {
                headers: &[("apikey", "alice-key")],
                answer: &[("set-cookie", "session=")],
                service: &[("x-consumer-username", "alice")],
                ..GET
            },
            Step {
                headers: &[("cookie", "session=forged")],
                service: &[("x-anonymous-consumer", "true")],
                ..GET
            },
        ],
    },
    Scenario {
        plugins: "- {name: rate-limiting, config: {year: 1, policy: redis, \
                  redis: {host: 127.0.0.1, port: 1}}}",
        steps: &[GET, GET],
    },
    Scenario {
        plugins: "- {name: rate-limiting, config: {year: 1, policy: redis, fault_tolerant: false, \
                  redis: {host: 127.0.0.1, port: 1}}}",
        steps: &[Step { status: 500, ..GET }],
    },
    Scenario {
        plugins: "- {name: response-ratelimiting, config: {policy: redis, fault_tolerant: false, \
                  limits: {sms: {year: 1}}, redis: {host: 127.0.0.1, port: 1}}}",
        steps: &[Step { status: 500, ..GET }],
    },
];

async fn send(node: &Node, path: &str, step: &Step) -> Answer {
    let body = Bytes::from_static(step.body.as_bytes());
    Client::new()
        .send(step.method, &node.url(path), step.headers, body)
        .await
        .expect("an answer")
}

fn begins(found: Option<&str>, expected: &str, what: &str) {
    let is_there = found.is_some_and(|found| found.starts_with(expected));
    assert!(is_there, "{what}: {expected}: {found:?}");
}

#[tokio::test]
async fn each_scenario_goes_as_written() {
    let backend = Backend::start("one").await;
    let mut text = format!(
        "_format_version: \"3.0\"\nconsumers:\n- username: nobody\n- username: alice\n  \
         keyauth_credentials:\n  - key: alice-key\nservices:\n- name: one\n  \
         url: http://127.0.0.1:{}\n  routes:\n",
        backend.port()
    );
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let plugins = scenario.plugins;
        text.push_str(&format!(
            "  - name: r{number}\n    paths: [/r{number}]\n    plugins:\n    {plugins}\n"
        ));
    }
    let mut node = Node::declarative(&text, &[("tracing_instrumentations", "request")]);
    node.ready().await;

    for (number, scenario) in SCENARIOS.iter().enumerate() {
        for (at, step) in scenario.steps.iter().enumerate() {
            let before = backend.seen().len();
            let answer = send(&node, &format!("/r{number}"), step).await;
            let what = format!("{} step {at}", scenario.plugins);
            assert_eq!(answer.status, step.status, "{what}");
            for (name, value) in step.answer {
                begins(answer.header(name), value, &what);
            }
            let seen = backend.seen();
            assert_eq!(
                seen.len() - before,
                usize::from(step.status == 200),
                "{what}"
            );
            for (name, value) in step.service {
                begins(seen.last().and_then(|seen| seen.header(name)), value, &what);
            }
        }
    }
}

#[tokio::test]
async fn a_session_is_good_until_it_is_signed_out() {
    let backend = Backend::start("one").await;
    let text = format!(
        "_format_version: \"3.0\"\nconsumers:\n- username: nobody\n- username: alice\n  \
         keyauth_credentials:\n  - key: alice-key\nservices:\n- name: one\n  \
         url: http://127.0.0.1:{}\n  routes:\n  - name: one\n    paths: [/]\nplugins:\n\
         - name: session\n  config: {{secret: s, logout_methods: [GET]}}\n\
         - name: key-auth\n  config: {{anonymous: nobody}}\n",
        backend.port()
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let answer = Client::new()
            .send("GET", &node.url(path), headers, Bytes::new())
            .await;
        answer.expect("an answer")
    };

    let first = get("/", &[("apikey", "alice-key")]).await;
    let cookie = first.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let again = get("/", &[("cookie", &cookie)]).await;
    let out = get("/?session_logout=1", &[("cookie", &cookie)]).await;

    assert_eq!((first.status, again.status, out.status), (200, 200, 200));
    let seen = backend.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].header("x-consumer-username"), Some("alice"));
    begins(out.header("set-cookie"), "session=; Path=/", "signing out");
}

#[tokio::test]
async fn metrics_tell_what_went_through_and_collectors_that_are_dead_hurt_nobody() {
    let backend = Backend::start("one").await;
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    collector
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let port = collector.local_addr().unwrap().port();
    let dead = "host: 127.0.0.1, port: 1";
    let queue = "queue: {max_retry_time: 0, max_coalescing_delay: 0}";
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{}\n  \
         routes:\n  - name: one\n    paths: [/]\nupstreams:\n- name: up\n  \
         targets:\n  - target: 127.0.0.1:1\nplugins:\n\
         - name: prometheus\n  config: {{status_code_metrics: true, latency_metrics: true, \
         bandwidth_metrics: true, upstream_health_metrics: true}}\n\
         - name: http-log\n  config: {{http_endpoint: \"http://127.0.0.1:1/\", {queue}}}\n\
         - name: tcp-log\n  config: {{{dead}}}\n\
         - name: loggly\n  config: {{{dead}, key: k}}\n\
         - name: zipkin\n  config: {{http_endpoint: \"http://127.0.0.1:1/\", sample_ratio: 1, {queue}}}\n\
         - name: opentelemetry\n  config: {{traces_endpoint: \"http://127.0.0.1:1/\"}}\n\
         - name: datadog\n  config: {{{dead}}}\n\
         - name: statsd\n  config: {{host: 127.0.0.1, port: {port}, \
         metrics: [{{name: status_count, stat_type: counter, sample_rate: 1}}]}}\n",
        backend.port()
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;

    for _ in 0..30 {
        let answer = Client::new().get(&node.url("/x")).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }

    let mut buffer = [0; 256];
    let length = collector.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"kong.service.one.status.200:1|c");
    let mut page = String::new();
    for _ in 0..200 {
        let answer = Client::new()
            .get(&node.status_url("/metrics"))
            .await
            .expect("metrics");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=UTF-8")
        );
        page = answer.text();
        if page.contains("gatehouse_plugin_records_lost_total{plugin=\"http-log\"}") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for line in [
        "kong_http_requests_total{service=\"one\",route=\"one\",code=\"200\",source=\"service\",\
         workspace=\"default\",consumer=\"\"} 30",
        "kong_request_latency_ms_count{service=\"one\",route=\"one\",workspace=\"default\"} 30",
        "gatehouse_plugin_records_lost_total{plugin=\"http-log\"}",
        "kong_datastore_reachable 1",
        "kong_upstream_target_health{upstream=\"up\",target=\"127.0.0.1:1\",\
         address=\"127.0.0.1:1\",state=\"healthchecks_off\",subsystem=\"http\"} 1",
    ] {
        assert!(page.contains(line), "{line}:\n{page}");
    }
}
