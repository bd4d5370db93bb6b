//! Nodes with a database of their own, in a file or on a server.

use super::*;

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
