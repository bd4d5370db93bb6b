//! Facts about a whole node, over real sockets: what they begin with.

mod database;
mod serving;
mod starting;

use bytes::Bytes;
use conf::{LoadOptions, Settings};
use http_body_util::BodyExt as _;
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
