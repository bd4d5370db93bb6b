//! What a node makes of a configuration: routes, plugins, refusals, draining.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_configuration_answers_404_and_is_not_ready() {
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    assert_eq!(get(node.proxy_addresses()[0], "/").await.status, 404);
    let ready = get(node.status_addresses()[0], "/status/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.json()["message"],
        "no configuration available (configuration hash is not initialized)"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_served_counted_and_survives_a_restart() {
    let backend = Backend::start("posted").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    take(&node, &to_backend(&backend, &json!([])))
        .await
        .unwrap();
    assert_eq!(get(node.proxy_addresses()[0], "/r/x").await.status, 200);
    let ready = get(node.status_addresses()[0], "/status/ready").await;
    assert_eq!(
        (ready.status, &ready.json()["message"]),
        (200, &json!("ready"))
    );
    let status = get(node.status_addresses()[0], "/status").await.json();
    assert_eq!(status["configuration_hash"].as_str().unwrap().len(), 32);
    assert!(status["server"]["total_requests"].as_u64().unwrap() >= 1);
    node.stop().await;
    let node = start(&prefix, &[]).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r/y").await.status, 200);
    assert_eq!(backend.seen().len(), 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_configuration_leaves_the_running_one_in_use() {
    let backend = Backend::start("refused").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    take(&node, &to_backend(&backend, &json!([])))
        .await
        .unwrap();
    let bad = json!({ "_format_version": "3.0", "services": [{ "name": "s" }] });
    let refused = take(&node, &bad).await.unwrap_err();
    assert!(refused.contains("host"), "{refused}");
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_guard_a_route_end_to_end() {
    let backend = Backend::start("guarded").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    let mut config = to_backend(
        &backend,
        &json!([
            { "name": "key-auth", "config": { "hide_credentials": true } },
            { "name": "rate-limiting", "config": { "hour": 2 } },
            { "name": "correlation-id", "config": { "echo_downstream": true } },
        ]),
    );
    config["consumers"] = json!([
        { "username": "alice", "keyauth_credentials": [{ "key": "alice-key" }] }
    ]);
    take(&node, &config).await.unwrap();
    let proxy = node.proxy_addresses()[0];
    let refused = get(proxy, "/r").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), Some("Key"));
    assert!(refused.header("kong-request-id").is_some());
    assert!(
        refused
            .text()
            .contains("\"message\":\"No API key found in request\"")
    );
    let with_key = || send(proxy, "/r", &[("apikey", "alice-key")]);
    let passed = with_key().await;
    assert_eq!(passed.status, 200);
    assert_eq!(passed.header("x-ratelimit-remaining-hour"), Some("1"));
    assert_eq!(with_key().await.header("ratelimit-remaining"), Some("0"));
    let limited = with_key().await;
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").is_some());
    let seen = backend.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("x-consumer-username"), Some("alice"));
    assert_eq!(seen[0].header("apikey"), None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_without_a_handler_closes_its_route_and_nothing_else() {
    if plugins::definition("pre-function").is_some_and(|one| one.is_runnable()) {
        // A build with Lua runs all of them.
        return;
    }
    let backend = Backend::start("closed").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    let mut config = to_backend(
        &backend,
        &json!([{ "name": "pre-function", "config": { "access": ["x"] } }]),
    );
    let open = json!({ "name": "open", "paths": ["/open"] });
    config["services"][0]["routes"]
        .as_array_mut()
        .unwrap()
        .push(open);
    take(&node, &config).await.unwrap();
    let proxy = node.proxy_addresses()[0];
    let refused = get(proxy, "/r").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["message"], "An unexpected error occurred");
    assert_eq!(get(proxy, "/open").await.status, 200);
    assert_eq!(backend.seen().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_switched_off_is_refused() {
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[("plugins", "rate-limiting")]).await;
    let with = |name: &str, config: Value| json!({ "_format_version": "3.0", "plugins": [{ "name": name, "config": config }] });
    let refused = take(&node, &with("key-auth", json!({}))).await;
    assert!(refused.unwrap_err().contains("not enabled"));
    let taken = with("rate-limiting", json!({ "minute": 1 }));
    take(&node, &taken).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_drains_says_so() {
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    let url = url(node.status_addresses()[0], "/status/ready");
    let draining = json!({ "status": "draining" });
    let answer = Client::new().json("POST", &url, &draining).await.unwrap();
    assert_eq!(answer.status, 204);
    let ready = Client::new().get(&url).await.unwrap();
    assert_eq!(
        (ready.status, &ready.json()["message"]),
        (503, &json!("draining"))
    );
    node.stop().await;
}
