//! Plugins in Lua that an operator brings along, on a node with a file and on one that a platform
//! configures.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatehouse_tests::{create, publish, until_status};
use serde_json::json;
use test_support::{Answer, Backend, Client, Node, Quickstart, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const NAMES: &str = "bundled,header-stamp,token-introspection,body-mask,runaway";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lua")
}

/// The settings by which a node finds the plugins of the folder.
fn path() -> String {
    format!("{}/?.lua;;", folder().display())
}

async fn node(text: &str) -> Node {
    let path = path();
    let settings = [("plugins", NAMES), ("lua_package_path", path.as_str())];
    let mut node = Node::declarative(text, &settings);
    node.ready().await;
    node
}

async fn get(node: &Node, path: &str, headers: &[(&str, &str)]) -> Answer {
    Client::new()
        .send("GET", &node.url(path), headers, bytes::Bytes::new())
        .await
        .expect("an answer")
}

fn service(port: u16, plugins: &str) -> String {
    format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{port}\n  routes:\n  \
         - name: one\n    paths: [/one]\n    plugins:\n{plugins}\n  - name: two\n    paths: [/two]\n"
    )
}

/// An endpoint that knows the token `good`, and how often it was asked.
async fn introspection() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let (mut text, mut piece) = (String::new(), [0; 1024]);
                while !text.contains("token=") {
                    match socket.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(count) => text.push_str(&String::from_utf8_lossy(&piece[..count])),
                    }
                }
                let body = match text.ends_with("token=good") {
                    true => r#"{"active":true,"sub":"alice"}"#,
                    false => r#"{"active":false}"#,
                };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                // A client that is gone needs no answer.
                drop(socket.write_all(answer.as_bytes()).await);
            });
        }
    });
    (port, asked)
}

#[tokio::test]
async fn headers_are_stamped_by_a_plugin_with_a_module_of_its_own() {
    let backend = Backend::start("one").await;
    let plugins = "    - name: header-stamp\n      config: {value: v, tags: [a, b]}";
    let node = node(&service(backend.port(), plugins)).await;

    let answer = get(&node, "/one/x", &[]).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-stamped"), Some("v;a;b;one"));
    assert_eq!(answer.header("x-began"), Some("yes"));
    assert_eq!(backend.seen()[0].header("x-stamp"), Some("v;a;b;one"));
    assert_eq!(get(&node, "/two", &[]).await.header("x-stamped"), None);
}

#[tokio::test]
async fn tokens_are_introspected_over_http_and_kept() {
    let backend = Backend::start("one").await;
    let (port, asked) = introspection().await;
    let plugins = format!(
        "    - name: token-introspection\n      config: {{endpoint: \"http://127.0.0.1:{port}/i\", \
         hide_credentials: true}}"
    );
    let node = node(&service(backend.port(), &plugins)).await;
    let ask = async |token: &str| get(&node, "/one", &[("Authorization", token)]).await;

    let without = get(&node, "/one", &[]).await;
    let bad = ask("Bearer bad").await;
    let good = ask("Bearer good").await;
    let again = ask("bearer good").await;

    assert_eq!(without.status, 401);
    assert_eq!(without.header("www-authenticate"), Some("Bearer"));
    assert_eq!(without.json()["message"], "No token");
    assert_eq!(bad.json()["message"], "Token is not active");
    assert_eq!((bad.status, good.status, again.status), (401, 200, 200));
    assert_eq!(
        asked.load(Ordering::Relaxed),
        2,
        "one question for each token"
    );
    let seen = backend.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("x-subject"), Some("alice"));
    assert_eq!(seen[0].header("authorization"), None);
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_a_502_of_the_plugin() {
    let backend = Backend::start("one").await;
    let plugins =
        "    - name: token-introspection\n      config: {endpoint: \"http://127.0.0.1:1/\"}";
    let node = node(&service(backend.port(), plugins)).await;
    let answer = get(&node, "/one", &[("Authorization", "Bearer x")]).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["message"], "Token cannot be checked");
    assert_eq!(backend.seen().len(), 0);
}

#[tokio::test]
async fn bodies_are_masked_on_their_way() {
    let backend = Backend::start("one").await;
    let plugins = "    - name: body-mask";
    let node = node(&service(backend.port(), plugins)).await;
    let answer = get(&node, "/one/a?mail=bob@example.com", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["target"], "/a?mail=***");
    let large = get(&node, "/one/bytes/300000", &[]).await;
    assert_eq!(large.body.len(), 300_000);
}

#[tokio::test]
async fn code_that_runs_away_is_stopped_and_the_node_goes_on() {
    let backend = Backend::start("one").await;
    for way in ["loop", "caught", "tables", "text", "depth", "waits"] {
        let plugins = format!("    - name: runaway\n      config: {{with: {way}}}");
        let node = node(&service(backend.port(), &plugins)).await;
        for _ in 0..2 {
            let answer = get(&node, "/one", &[]).await;
            assert_eq!(answer.status, 500, "{way}");
            assert_eq!(
                answer.json()["message"],
                "An unexpected error occurred",
                "{way}"
            );
        }
        assert_eq!(get(&node, "/two", &[]).await.status, 200, "{way}");
    }
}

#[tokio::test]
async fn references_read_the_variables_that_the_prefix_names() {
    let backend = Backend::start("one").await;
    let code = "kong.service.request.set_header('X-Told', kong.vault.get('{vault://env/told}'))";
    let plugins = format!(
        "    - name: header-stamp\n      config: {{value: \"{{vault://env/my-stamp}}\"}}\n    \
         - name: pre-function\n      config: {{access: [\"{code}\"]}}"
    );
    let path = path();
    let settings = [
        ("plugins", NAMES),
        ("lua_package_path", path.as_str()),
        ("vault_env_prefix", "site_"),
    ];
    let mut node = Node::declarative(&service(backend.port(), &plugins), &settings);
    let variables = ["SITE_MY_STAMP=ours", "SITE_TOLD=ours too"];
    let others = ["MY_STAMP=not ours", "TOLD=not ours"];
    node.launched_by(&[&["env"], &variables[..], &others[..]].concat());
    node.ready().await;

    let answer = get(&node, "/one", &[]).await;

    assert_eq!(answer.header("x-stamped"), Some("ours;one"));
    assert_eq!(backend.seen()[0].header("x-told"), Some("ours too"));
}

#[tokio::test]
async fn checks_in_code_refuse_a_configuration() {
    let text = service(
        1,
        "    - name: header-stamp\n      config: {value: v, request_header: X-A, response_header: X-A}",
    );
    let path = path();
    let settings = [("plugins", NAMES), ("lua_package_path", path.as_str())];
    let mut node = Node::declarative(&text, &settings);
    node.start();
    let process = node.process();
    process.prints("must differ").await;
    process.kill().await;
}

#[tokio::test]
async fn a_plugin_that_is_nowhere_keeps_the_node_from_starting() {
    let mut node = Node::declarative(
        "_format_version: \"3.0\"",
        &[("plugins", "bundled,nowhere")],
    );
    node.start();
    let process = node.process();
    process
        .prints("`kong.plugins.nowhere.handler` is not found")
        .await;
    let what = "the process ends";
    eventually(what, async || (!process.is_running()).then_some(())).await;
}

#[tokio::test]
async fn a_platform_configures_a_plugin_that_its_nodes_have() {
    let quickstart = Quickstart::empty().await;
    let backend = Backend::start("one").await;
    let route = json!({"name": "one", "paths": ["/one"]});
    let (_, route) = publish(&quickstart, "one", backend.port(), route).await;
    let described = std::fs::read_to_string(folder().join("kong/plugins/header-stamp/schema.lua"));
    let body = json!({"lua_schema": described.expect("the description")});
    let url = quickstart.entities_url("plugin-schemas");
    let answer = quickstart.client().json("POST", &url, &body).await;
    assert_eq!(answer.expect("an answer").status, 201);
    let body = json!({"name": "header-stamp", "config": {"value": "far"}, "route": {"id": route}});
    create(&quickstart, "plugins", &body).await;

    let path = path();
    let settings = [("plugins", NAMES), ("lua_package_path", path.as_str())];
    let mut node = Node::joining(&quickstart, &settings);
    node.ready().await;

    let answer = until_status(&Client::new(), &node.url("/one"), 200).await;
    assert_eq!(answer.header("x-stamped"), Some("far;one"));
}
