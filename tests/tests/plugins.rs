//! The first plugins, through a node.

use serde_json::json;
use test_support::{Answer, Backend, Client, Node};

async fn node(port: u16, plugins: &str) -> Node {
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{port}\n  \
         routes:\n  - name: one\n    paths: [/one]\nconsumers:\n- username: alice\n  \
         custom_id: a-1\n  keyauth_credentials:\n  - key: alice-key\nplugins:\n{plugins}"
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;
    node
}

async fn get(node: &Node, path: &str, headers: &[(&str, &str)]) -> Answer {
    let empty = bytes::Bytes::new();
    Client::new()
        .send("GET", &node.url(path), headers, empty)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn key_auth_lets_the_known_pass_and_names_them_to_the_service() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "- name: key-auth\n").await;

    let without = get(&node, "/one", &[]).await;
    let wrong = get(&node, "/one", &[("apikey", "nobody")]).await;
    let header = get(&node, "/one", &[("apikey", "alice-key")]).await;
    let query = get(&node, "/one?apikey=alice-key", &[]).await;

    assert_eq!(without.status, 401);
    assert_eq!(without.json()["message"], "No API key found in request");
    assert_eq!(without.header("www-authenticate"), Some("Key"));
    assert_eq!(wrong.status, 401);
    assert_eq!((header.status, query.status), (200, 200));
    let seen = backend.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("x-consumer-username"), Some("alice"));
    assert_eq!(seen[0].header("x-consumer-custom-id"), Some("a-1"));
}

#[tokio::test]
async fn rate_limiting_counts_exactly() {
    let backend = Backend::start("one").await;
    let node = node(
        backend.port(),
        "- name: rate-limiting\n  config: {hour: 5, policy: local}\n",
    )
    .await;

    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(get(&node, "/one", &[]).await);
    }

    let passed = statuses
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert_eq!(passed, 5);
    assert_eq!(statuses[0].header("ratelimit-limit"), Some("5"));
    assert_eq!(statuses[0].header("ratelimit-remaining"), Some("4"));
    assert_eq!(statuses[0].header("x-ratelimit-limit-hour"), Some("5"));
    assert_eq!(statuses[7].status, 429);
    assert_eq!(statuses[7].json()["message"], "API rate limit exceeded");
    assert!(
        statuses[7]
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .is_ok()
    );
    assert_eq!(backend.seen().len(), 5);
}

#[tokio::test]
async fn request_termination_answers_instead_of_the_service() {
    let backend = Backend::start("one").await;
    let plugin = "- name: request-termination\n  config: {status_code: 403, message: closed}\n";
    let node = node(backend.port(), plugin).await;

    let answer = get(&node, "/one", &[]).await;

    assert_eq!(
        (answer.status, answer.json()),
        (403, json!({"message": "closed"}))
    );
    assert!(backend.seen().is_empty());
}

#[tokio::test]
async fn correlation_id_is_kept_or_made_and_echoed() {
    let backend = Backend::start("one").await;
    let plugin = "- name: correlation-id\n  config: {header_name: X-Trace, generator: uuid#counter, \
                  echo_downstream: true}\n";
    let node = node(backend.port(), plugin).await;

    let made = get(&node, "/one", &[]).await;
    let kept = get(&node, "/one", &[("x-trace", "mine")]).await;

    let id = made.header("x-trace").unwrap().to_owned();
    assert!(id.ends_with("#1"), "{id}");
    assert_eq!(backend.seen()[0].header("x-trace"), Some(id.as_str()));
    assert_eq!(kept.header("x-trace"), Some("mine"));
}

#[tokio::test]
async fn unknown_plugin_is_refused_by_name() {
    let text = "_format_version: \"3.0\"\nplugins:\n- name: no-such-plugin\n";
    let mut node = Node::declarative(text, &[]);

    node.start();

    node.process().prints("no-such-plugin").await;
}
