//! Transports of `/config` over real sockets. What a document means is the intake's business and
//! tested there.

use std::sync::Arc;

use bytes::Bytes;
use declarative::{Config, Document};
use parking_lot::Mutex;
use serde_json::{Value, json};
use test_support::{Answer, Client};

use super::{AdminApi, Information, Load, LoadError, LoadFuture};
use crate::status::{Active, Counters, Facts};
use crate::surface::{Server, Shown};

/// Takes every document and remembers it.
#[derive(Default)]
struct Remembering {
    loaded: Mutex<Vec<(Value, String)>>,
    is_busy: Mutex<bool>,
}

impl Load for Remembering {
    fn load(&self, document: Document, hash: String) -> LoadFuture<'_> {
        Box::pin(async move {
            if *self.is_busy.lock() {
                return Err(LoadError::Busy);
            }
            self.loaded.lock().push((document.value().clone(), hash));
            Ok(Arc::new(Config::default()))
        })
    }

    fn active_hash(&self) -> Option<String> {
        self.loaded.lock().last().map(|(_, hash)| hash.clone())
    }

    fn export(&self) -> String {
        "_format_version: '3.0'\n".to_owned()
    }
}

struct Running {
    _server: Server,
    url: String,
    load: Arc<Remembering>,
}

async fn start() -> Running {
    let load = Arc::new(Remembering::default());
    let facts = Facts::new(Counters::default, || Active {
        hash: None,
        is_empty: true,
    });
    let settings = conf::Settings::builtin();
    let plugins = [("key-auth", "3.9.3", 1250)];
    let information = Information::new(&settings, uuid::Uuid::nil(), &plugins, "gatehouse/test");
    let api = AdminApi::new(facts, information, Arc::clone(&load) as Arc<dyn Load>, 4096);
    let listen = conf::Listen::plain("127.0.0.1:0".parse().unwrap());
    let shown = Shown {
        server: None,
        shows_latency: true,
    };
    let server = Server::start(&[listen], Arc::new(api), shown, None)
        .await
        .unwrap();
    let url = format!("http://{}", server.addresses()[0]);
    Running {
        _server: server,
        url,
        load,
    }
}

impl Running {
    async fn post(&self, query: &str, kind: Option<&str>, body: &str) -> Answer {
        let url = format!("{}/config{query}", self.url);
        let headers: Vec<_> = kind
            .map(|kind| ("content-type", kind))
            .into_iter()
            .collect();
        let body = Bytes::copy_from_slice(body.as_bytes());
        Client::new()
            .send("POST", &url, &headers, body)
            .await
            .unwrap()
    }

    fn last(&self) -> Value {
        self.load.loaded.lock().last().unwrap().0.clone()
    }
}

#[tokio::test]
async fn document_arrives_by_every_transport() {
    let running = start().await;
    let expected = json!({"_format_version": "3.0", "services": []});
    let yaml = "_format_version: \"3.0\"\nservices: []\n";
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"config\"; filename=\"k.yml\"\r\n\r\n{yaml}\r\n--b--\r\n"
    );
    let quoted = json!({"config": yaml}).to_string();
    let form = "config=_format_version%3A+%223.0%22%0Aservices%3A%20%5B%5D";

    for (kind, body) in [
        ("application/json", expected.to_string().as_str()),
        ("application/json", quoted.as_str()),
        ("text/yaml", yaml),
        ("application/yaml", yaml),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=b", multipart.as_str()),
    ] {
        let answer = running.post("", Some(kind), body).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.text());
        assert_eq!(running.last(), expected, "{kind}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_document_are_refused() {
    let running = start().await;
    let message = async |kind: Option<&str>, body: &str| {
        let answer = running.post("", kind, body).await;
        (
            answer.status,
            answer.json()["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let invalid = |reason: &str| {
        let text = format!("failed parsing declarative configuration: {reason}");
        (
            400,
            format!("declarative config is invalid: {{error=\"{text}\"}}"),
        )
    };
    let form = Some("application/x-www-form-urlencoded");

    let expected = (400, "expected a declarative configuration".to_owned());
    assert_eq!(message(None, "").await, expected);
    assert_eq!(message(Some("text/yaml"), "").await, expected);
    let expected = (400, "Cannot parse JSON body".to_owned());
    assert_eq!(message(Some("application/json"), "{").await, expected);
    assert_eq!(message(Some("application/json"), "").await, expected);
    assert_eq!(message(form, "x=y").await, invalid("expected an object"));
    assert_eq!(
        message(Some("text/yaml"), "just text").await,
        invalid("expected an object")
    );
    let no_text = "config: bad argument #1 to 'parser' (must provide a string argument)";
    assert_eq!(message(form, "config=").await, invalid(no_text));
    let object = json!({"config": {"_format_version": "3.0"}}).to_string();
    assert_eq!(
        message(Some("application/json"), &object).await,
        invalid(no_text)
    );
    assert!(running.load.loaded.lock().is_empty());
}

#[tokio::test]
async fn unknown_types_get_the_page_of_the_http_core() {
    let running = start().await;

    let plain = running.post("", Some("text/plain"), "x: y").await;
    let untyped = running.post("", None, "x: y").await;
    let shouted = running.post("", Some("APPLICATION/JSON"), "{}").await;

    for answer in [plain, untyped, shouted] {
        assert_eq!(answer.status, 415);
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=UTF-8")
        );
        assert_eq!(answer.body.len(), 144);
    }
}

#[tokio::test]
async fn same_text_again_is_not_modified_when_the_hash_is_checked() {
    let running = start().await;
    let yaml = "_format_version: \"3.0\"\n";

    let first = running.post("?check_hash=1", Some("text/yaml"), yaml).await;
    let again = running.post("?check_hash=1", Some("text/yaml"), yaml).await;
    let unchecked = running.post("", Some("text/yaml"), yaml).await;

    assert_eq!(
        (first.status, again.status, unchecked.status),
        (201, 304, 201)
    );
    assert!(again.body.is_empty());
    assert_eq!(running.load.loaded.lock().len(), 2);
}

#[tokio::test]
async fn second_load_at_the_same_time_is_asked_to_come_again() {
    let running = start().await;
    *running.load.is_busy.lock() = true;

    let answer = running
        .post("", Some("text/yaml"), "_format_version: \"3.0\"\n")
        .await;

    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("1"))
    );
}

#[tokio::test]
async fn body_over_the_limit_is_refused_with_the_limit() {
    let running = start().await;
    let body = format!("_format_version: \"3.0\"\n#{}\n", "x".repeat(5000));

    let answer = running.post("", Some("text/yaml"), &body).await;

    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("4096 bytes"), "{}", answer.text());
}

#[tokio::test]
async fn root_tells_versions_plugins_and_settings_without_secrets() {
    let running = start().await;

    let body = Client::new()
        .get(&format!("{}/", running.url))
        .await
        .unwrap()
        .json();

    assert_eq!(body["version"], "3.9.3");
    assert_eq!(body["product"], "gatehouse/test");
    assert_eq!(
        body["configuration"]["database"]
            .as_str()
            .map(str::is_empty),
        Some(false)
    );
    let plugin = &body["plugins"]["available_on_server"]["key-auth"];
    assert_eq!(plugin, &json!({"version": "3.9.3", "priority": 1250}));
    assert_eq!(
        body["configuration"]["router_flavor"],
        "traditional_compatible"
    );
    assert_eq!(body["configuration"]["upstream_keepalive_pool_size"], 512);
}

#[tokio::test]
async fn export_is_yaml_in_json() {
    let running = start().await;

    let body = Client::new()
        .get(&format!("{}/config", running.url))
        .await
        .unwrap()
        .json();

    assert_eq!(body, json!({"config": "_format_version: '3.0'\n"}));
}
