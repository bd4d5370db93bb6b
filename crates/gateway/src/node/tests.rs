//! Facts about a whole node, over real sockets.

use bytes::Bytes;
use conf::{LoadOptions, Settings};
use http_body_util::BodyExt as _;
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

/// An Admin API that knows the node's id and nothing else.
struct Silent(String);

impl Handler for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn handle(&self, _request: http::Request<hyper::body::Incoming>) -> HandlerFuture<'_> {
        let body = http_body_util::Full::new(Bytes::from(self.0.clone()));
        let body = body.map_err(|never| match never {}).boxed_unsync();
        Box::pin(async move { http::Response::new(body) })
    }
}

fn silent() -> MakeAdmin {
    Box::new(|node| Arc::new(Silent(node.node_id.to_string())))
}

async fn start(prefix: &TempDir, more: &[(&str, &str)]) -> Node {
    match Node::start(settings(prefix, more), silent()).await {
        Ok(node) => node,
        Err(error) => panic!("{error}"),
    }
}

async fn refusal(prefix: &TempDir, more: &[(&str, &str)]) -> String {
    match Node::start(settings(prefix, more), silent()).await {
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

/// Takes a declarative document into use; gives what is wrong with it.
async fn take(node: &Node, config: &Value) -> Result<(), String> {
    let hash = wire::md5_hex(config.to_string().as_bytes());
    let document = declarative::Document::from_value(config.clone());
    let accepted = node.intake().accept_document(document, hash).await;
    accepted.map(drop).map_err(|refused| refused.to_string())
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
    take(&node, &to_backend(&backend, &json!([])))
        .await
        .unwrap();
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
    let refused = take(&node, &with("key-auth", json!({}))).await;
    assert!(refused.unwrap_err().contains("not enabled"));
    let taken = with("rate-limiting", json!({ "minute": 1 }));
    take(&node, &taken).await.unwrap();
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

fn stored(prefix: &TempDir) -> Settings {
    settings(prefix, &[("database", "sqlite")])
}

/// Starts a traditional node and gives its view too.
async fn start_stored(prefix: &TempDir) -> (Node, Handle) {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let admin: MakeAdmin = Box::new(move |node| {
        let id = node.node_id.to_string();
        tell.send(node).unwrap();
        Arc::new(Silent(id))
    });
    let node = Node::start(stored(prefix), admin).await.unwrap();
    (node, told.recv().unwrap())
}

async fn write(handle: &Handle, tables: &Value) {
    let document = declarative::Document::from_value(tables.clone());
    let config = document.normalise(&handle.catalogue, declarative::Options::default());
    let operation = store::Operation::ReplaceAll {
        tables: store::pack(config.unwrap().tables),
    };
    let batch = store::Batch::of_one(LOCAL_PLANE, store::Actor::system(), operation);
    handle.store.as_ref().unwrap().apply(batch).await.unwrap();
}

async fn until_status(address: SocketAddr, path: &str, status: u16) {
    for _ in 0..500 {
        if get(address, path).await.status == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} never answers {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_the_database_is_served_and_is_there_after_a_restart() {
    let backend = Backend::start("stored").await;
    let prefix = TempDir::new("node");
    let (node, handle) = start_stored(&prefix).await;
    let status = node.status_addresses()[0];
    // Compat: a node with a database is ready before anything is configured.
    assert_eq!(get(status, "/status/ready").await.status, 200);
    write(&handle, &to_backend(&backend, &json!([]))).await;
    until_status(node.proxy_addresses()[0], "/r", 200).await;
    let body = get(status, "/status").await.json();
    assert_eq!(body["database"], json!({ "reachable": true }));
    assert!(body.get("configuration_hash").is_none());
    drop(handle);
    node.stop().await;
    assert!(!prefix.join("config.cache").exists());
    let (node, handle) = start_stored(&prefix).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    write(&handle, &json!({ "_format_version": "3.0" })).await;
    until_status(node.proxy_addresses()[0], "/r", 404).await;
    drop(handle);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_written_alone_is_taken_over_alone() {
    let backend = Backend::start("stored").await;
    let prefix = TempDir::new("node");
    let (node, handle) = start_stored(&prefix).await;
    let proxy = node.proxy_addresses()[0];
    write(&handle, &to_backend(&backend, &json!([]))).await;
    until_status(proxy, "/r", 200).await;
    let before = handle.snapshot.load_full();
    let mut route: serde_json::Map<String, Value> =
        serde_json::from_slice(&before.routes[0].info.document).unwrap();
    route.insert("paths".to_owned(), json!(["/moved"]));
    let kind = "routes";
    let operation = store::Operation::Upsert { kind, body: route };
    let batch = store::Batch::of_one(LOCAL_PLANE, store::Actor::system(), operation);
    let store = handle.store.clone().unwrap();
    store.apply(batch).await.unwrap();
    until_status(proxy, "/moved", 200).await;
    assert_eq!(get(proxy, "/r").await.status, 404);
    // All that was not written is the same, not a copy.
    let after = handle.snapshot.load_full();
    assert!(Arc::ptr_eq(&before.lookups, &after.lookups));
    assert_ne!(before.hash, after.hash);
    let (kind, id) = ("routes", before.routes[0].route.id);
    let operation = store::Operation::Delete { kind, id };
    let batch = store::Batch::of_one(LOCAL_PLANE, store::Actor::system(), operation);
    store.apply(batch).await.unwrap();
    until_status(proxy, "/moved", 404).await;
    drop((handle, store));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_entities_that_cannot_run_keep_the_running_ones_and_show_in_the_status() {
    let backend = Backend::start("stored").await;
    let prefix = TempDir::new("node");
    let (node, handle) = start_stored(&prefix).await;
    let (proxy, status) = (node.proxy_addresses()[0], node.status_addresses()[0]);
    write(&handle, &to_backend(&backend, &json!([]))).await;
    until_status(proxy, "/r", 200).await;
    // The schema takes it; what makes the plugin asks for the name of a model.
    let llm = json!({ "route_type": "llm/v1/chat", "model": { "provider": "openai" } });
    let plugin = json!({
        "name": "ai-response-transformer",
        "config": { "prompt": "p", "llm": llm },
    });
    write(&handle, &to_backend(&backend, &json!([plugin]))).await;
    let mut error = Value::Null;
    for _ in 0..500 {
        error = get(status, "/status").await.json()["configuration_error"].clone();
        if error.is_object() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(error["refused"], 1, "{error}");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("llm.model.name")
    );
    assert_eq!(get(proxy, "/r").await.status, 200);
    drop(handle);
    node.stop().await;

    // It starts all the same, so that it can be corrected.
    let (node, handle) = start_stored(&prefix).await;
    let (proxy, status) = (node.proxy_addresses()[0], node.status_addresses()[0]);
    assert_eq!(get(proxy, "/r").await.status, 404);
    assert_eq!(get(status, "/status/ready").await.status, 503);
    write(&handle, &to_backend(&backend, &json!([]))).await;
    until_status(proxy, "/r", 200).await;
    let body = get(status, "/status").await.json();
    assert!(body.get("configuration_error").is_none(), "{body}");
    drop(handle);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_cannot_be_used_keeps_the_node_from_starting_and_is_named() {
    let prefix = TempDir::new("node");
    std::fs::write(
        prefix.join("gatehouse.db"),
        "this is no database, but a text of some length\n".repeat(200),
    )
    .unwrap();
    let error = refusal(&prefix, &[("database", "sqlite")]).await;
    assert!(error.contains("gatehouse.db"), "{error}");
    let prefix = TempDir::new("node");
    let running = Node::start(stored(&prefix), silent()).await.unwrap();
    let error = refusal(&prefix, &[("database", "sqlite")]).await;
    assert!(error.contains("in use by another process"), "{error}");
    running.stop().await;
    std::fs::write(prefix.join("node.key"), "short").unwrap();
    let error = refusal(&prefix, &[("database", "sqlite")]).await;
    assert!(error.contains("node.key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_speaks_tls_and_http_2_where_it_is_asked_to() {
    let prefix = TempDir::new("node");
    let listen = "127.0.0.1:0, 127.0.0.1:0 ssl http2";
    let node = start(&prefix, &[("admin_listen", listen)]).await;
    let [plain, tls] = node.admin_addresses() else {
        panic!("two listeners");
    };
    let id = get(*plain, "/").await.text();
    let certificate = std::fs::read_to_string(prefix.join("ssl/kong-default.crt")).unwrap();
    let client = Client::new().trusting(&certificate).http2();
    let url = format!("https://localhost:{}/", tls.port());
    assert_eq!(client.get(&url).await.unwrap().text(), id);
    node.stop().await;
}

/// Settings of a node on a PostgreSQL server.
fn on_server(prefix: &TempDir, port: &str) -> Settings {
    settings(
        prefix,
        &[
            ("database", "postgres"),
            ("pg_port", port),
            ("pg_user", "gatehouse"),
            ("pg_database", "postgres"),
            ("pg_timeout", "2000"),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_is_away_starts_with_what_it_kept_and_finds_it_again() {
    let backend = Backend::start("stored").await;
    let prefix = TempDir::new("node");
    let mut server = test_support::Postgres::start(&test_support::PostgresOptions::default());
    let port = server.port().to_string();
    let start = async || {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let admin: MakeAdmin = Box::new(move |node| {
            tell.send(node).unwrap();
            Arc::new(Silent("there".to_owned()))
        });
        let node = Node::start(on_server(&prefix, &port), admin).await;
        (node.unwrap(), told)
    };
    let (node, told) = start().await;
    let handle = told.recv().unwrap();
    write(&handle, &to_backend(&backend, &json!([]))).await;
    until_status(node.proxy_addresses()[0], "/r", 200).await;
    drop(handle);
    node.stop().await;

    server.stop();
    let (node, told) = start().await;
    let (proxy, admin) = (node.proxy_addresses()[0], node.admin_addresses()[0]);
    assert_eq!(get(proxy, "/r").await.status, 200);
    let waiting = get(admin, "/services").await;
    assert_eq!(waiting.status, 503);
    assert_eq!(waiting.header("retry-after"), Some("1"));
    let status = get(node.status_addresses()[0], "/status").await.json();
    assert_eq!(status["database"], json!({ "reachable": false }));

    server.start_again();
    until_status(admin, "/services", 200).await;
    let handle = told.recv().unwrap();
    write(&handle, &json!({ "_format_version": "3.0" })).await;
    until_status(proxy, "/r", 404).await;
    drop(handle);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_the_node_keeps_it_from_starting() {
    let prefix = TempDir::new("node");
    let port = test_support::Postgres::shared().port().to_string();
    let mut wrong = on_server(&prefix, &port);
    wrong.postgres.database = "nowhere".to_owned();
    let error = Node::start(wrong, silent()).await.unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
