//! Facts about a whole node, over real sockets.

use bytes::Bytes;
use conf::{LoadOptions, Settings};
use pki::CertificateVersion;
use serde_json::{Value, json};
use test_support::{Answer, Backend, Client, TempDir};

use super::*;

fn settings(prefix: &TempDir, more: &[(&str, &str)]) -> Settings {
    let prefix = prefix.path().display().to_string();
    let mut overrides = vec![("prefix".to_owned(), prefix)];
    for (name, value) in [
        ("database", "off"),
        ("proxy_listen", "127.0.0.1:0"),
        ("admin_listen", "127.0.0.1:0"),
        ("status_listen", "127.0.0.1:0"),
        ("proxy_access_log", "off"),
        ("nginx_worker_processes", "2"),
    ] {
        overrides.push((name.to_owned(), value.to_owned()));
    }
    let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    overrides.extend(more);
    let options = LoadOptions {
        overrides,
        ..LoadOptions::default()
    };
    match Settings::load(&options) {
        Ok((settings, _)) => settings,
        Err(errors) => panic!("{errors:?}"),
    }
}

async fn start(prefix: &TempDir, more: &[(&str, &str)]) -> Node {
    match Node::start(settings(prefix, more)).await {
        Ok(node) => node,
        Err(error) => panic!("{error}"),
    }
}

async fn refusal(prefix: &TempDir, more: &[(&str, &str)]) -> String {
    match Node::start(settings(prefix, more)).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let answer = Client::new().get(&url(address, path)).await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn send(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = Client::new()
        .send("GET", &url(address, path), headers, Bytes::new())
        .await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn post_config(node: &Node, config: &Value) -> Answer {
    let url = url(node.admin_addresses()[0], "/config");
    Client::new().json("POST", &url, config).await.unwrap()
}

fn to_backend(backend: &Backend, plugins: &Value) -> Value {
    json!({
        "_format_version": "3.0",
        "services": [{
            "name": "s", "host": "127.0.0.1", "port": backend.port(),
            "routes": [{ "name": "r", "paths": ["/r"], "plugins": plugins }],
        }],
    })
}

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
async fn a_posted_configuration_is_served_counted_and_survives_a_restart() {
    let backend = Backend::start("posted").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    let answer = post_config(&node, &to_backend(&backend, &json!([]))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
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
    post_config(&node, &to_backend(&backend, &json!([]))).await;
    let bad = json!({ "_format_version": "3.0", "services": [{ "name": "s" }] });
    let answer = post_config(&node, &bad).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["code"], 14);
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
    let answer = post_config(&node, &config).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
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
    let backend = Backend::start("closed").await;
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[]).await;
    let llm = json!({ "route_type": "llm/v1/chat", "model": { "provider": "openai" } });
    let plugin = json!({
        "name": "ai-response-transformer",
        "config": { "prompt": "p", "llm": llm },
    });
    let mut config = to_backend(&backend, &json!([plugin]));
    let open = json!({ "name": "open", "paths": ["/open"] });
    config["services"][0]["routes"]
        .as_array_mut()
        .unwrap()
        .push(open);
    let answer = post_config(&node, &config).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let proxy = node.proxy_addresses()[0];
    let refused = get(proxy, "/r").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["message"], "An unexpected error occurred");
    assert_eq!(get(proxy, "/open").await.status, 200);
    assert_eq!(backend.seen().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_file_is_in_use_before_the_node_listens() {
    let backend = Backend::start("declared").await;
    let prefix = TempDir::new("node");
    let file = prefix.join("kong.json");
    std::fs::write(&file, to_backend(&backend, &json!([])).to_string()).unwrap();
    let file = file.display().to_string();
    let node = start(&prefix, &[("declarative_config", &file)]).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_file_that_is_wrong_keeps_the_node_from_starting() {
    let prefix = TempDir::new("node");
    let file = prefix.join("kong.yaml");
    let path = file.display().to_string();
    let declared = [("declarative_config", path.as_str())];
    let missing = refusal(&prefix, &declared).await;
    assert!(
        missing.contains("declarative_config") && missing.contains(&path),
        "{missing}"
    );
    std::fs::write(&file, "services: [unclosed").unwrap();
    let broken = refusal(&prefix, &declared).await;
    assert!(broken.contains("line "), "{broken}");
    std::fs::write(
        &file,
        "_format_version: '3.0'\nservices:\n- {name: s, port: 70000}\n",
    )
    .unwrap();
    let wrong = refusal(&prefix, &declared).await;
    assert!(wrong.contains("2 violations"), "{wrong}");
    assert!(
        wrong.contains("line 3") && wrong.contains("port"),
        "{wrong}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_keeps_the_node_from_starting_and_is_named() {
    let prefix = TempDir::new("node");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["proxy_listen", "status_listen", "admin_listen"] {
        let error = refusal(&prefix, &[(setting, &address)]).await;
        assert!(error.contains(&address), "{setting}: {error}");
    }
}

fn as_data_plane(prefix: &TempDir) -> Vec<(String, String)> {
    let issued = pki::gen_cluster_certificate(30, CertificateVersion::V3).unwrap();
    let write = |name: &str, text: &str| {
        let path = prefix.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let pairs = [
        ("role", "data_plane".to_owned()),
        ("cluster_cert", write("cluster.crt", &issued.cert_pem)),
        ("cluster_cert_key", write("cluster.key", &issued.key_pem)),
        // Nobody listens there.
        ("cluster_control_plane", "127.0.0.1:9".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_plane_serves_what_it_kept_while_nobody_answers() {
    let backend = Backend::start("kept").await;
    let prefix = TempDir::new("node");
    let pairs = as_data_plane(&prefix);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let node = start(&prefix, &pairs).await;
    assert!(node.admin_addresses().is_empty());
    let table = json!({
        "_format_version": "3.0", "_transform": false,
        "services": [{
            "id": "00000001-0000-4000-8000-000000000001", "name": "s", "host": "127.0.0.1",
            "port": backend.port(), "protocol": "http",
        }],
        "routes": [{
            "id": "00000001-0000-4000-8000-000000000002", "name": "r", "paths": ["/r"],
            "protocols": ["http"], "service": "00000001-0000-4000-8000-000000000001",
        }],
    });
    let hash = "0123456789abcdef0123456789abcdef";
    let accepted = node
        .intake()
        .accept_table(table, hash.to_owned())
        .await
        .unwrap();
    assert_eq!(accepted.hash, hash);
    node.stop().await;
    let node = start(&prefix, &pairs).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    let status = get(node.status_addresses()[0], "/status").await.json();
    assert_eq!(status["configuration_hash"], hash);
    assert_eq!(
        get(node.status_addresses()[0], "/status/ready")
            .await
            .status,
        200
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_its_folder_out_of_reach_still_runs() {
    let folder = TempDir::new("node");
    let file = folder.join("a-file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("prefix").display().to_string();
    let backend = Backend::start("homeless").await;
    let node = start(&folder, &[("prefix", &below)]).await;
    let answer = post_config(&node, &to_backend(&backend, &json!([]))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_switched_off_is_refused() {
    let prefix = TempDir::new("node");
    let node = start(&prefix, &[("plugins", "rate-limiting")]).await;
    let with = |name: &str, config: Value| json!({ "_format_version": "3.0", "plugins": [{ "name": name, "config": config }] });
    let refused = post_config(&node, &with("key-auth", json!({}))).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let taken = post_config(&node, &with("rate-limiting", json!({ "minute": 1 }))).await;
    assert_eq!(taken.status, 201, "{}", taken.text());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_certificate_is_made_once() {
    let prefix = TempDir::new("node");
    let tls = [("proxy_listen", "127.0.0.1:0 ssl")];
    let read = || std::fs::read(prefix.join("ssl/kong-default.crt")).unwrap();
    start(&prefix, &tls).await.stop().await;
    let first = read();
    start(&prefix, &tls).await.stop().await;
    assert_eq!(read(), first);
}
