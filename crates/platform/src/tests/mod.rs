//! The whole room over real sockets: a platform on a free port, asked by TLS clients.

mod admin;
mod batch;
mod config_stores;
mod consumer_groups;
mod endpoints;
mod entities;
mod files;
mod groups;
mod hosts;
mod kic;
mod kinds;
mod limits;
mod links;
mod nodes;
mod planes;
mod plugin_schemas;
mod requests;
mod revisions;
mod tenants;

use bytes::Bytes;
use control_plane::{ControlPlane, NewControlPlane};
use serde_json::{Value, json};
use test_support::{Answer, Client, TempDir};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::assembly::GeoParts;
use crate::{Limits, Platform, PlatformError, PlatformOptions};

/// A running platform with the geos `us` and `eu` and one organisation.
pub(super) struct Fixture {
    // Dropped last of what is kept here: the platform's files lie in it.
    folder: TempDir,
    pub(super) port: u16,
    pub(super) ca: String,
    pub(super) token: String,
    pub(super) geo: GeoParts,
    pub(super) default: ControlPlane,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), PlatformError>>,
}

impl Fixture {
    pub(super) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub(super) async fn start_with(limits: Limits) -> Self {
        let folder = TempDir::new("platform");
        let mut options = PlatformOptions::new(folder.join("data"));
        options.listen = "127.0.0.1:0".parse().unwrap();
        options.geos = vec!["us".to_owned(), "eu".to_owned()];
        options.limits = limits;
        let platform = Platform::open(options).await.unwrap();
        let made = platform
            .bootstrap("Example", "admin@example.org")
            .await
            .unwrap()
            .unwrap();
        let planes = platform.planes("us").unwrap();
        let default = planes
            .by_name(made.organisation.id, "default")
            .await
            .unwrap()
            .unwrap();
        let (stop, stopped) = oneshot::channel();
        let (port, ca) = (platform.address().port(), platform.ca_pem().to_owned());
        let geo = platform.geo_parts()[0].clone();
        let serving = tokio::spawn(platform.serve(async { drop(stopped.await) }));
        Self {
            folder,
            port,
            ca,
            token: made.token.reveal().to_owned(),
            geo,
            default,
            stop: Some(stop),
            serving,
        }
    }

    /// Ends the platform and gives what its run gave.
    pub(super) async fn end(mut self) -> Result<(), PlatformError> {
        drop(self.stop.take());
        let ended = (&mut self.serving).await.unwrap();
        assert!(self.folder.path().exists());
        ended
    }

    /// A client with a good token.
    pub(super) fn client(&self) -> Client {
        self.stranger().bearer(&self.token)
    }

    /// A client without a token.
    pub(super) fn stranger(&self) -> Client {
        Client::new().trusting(&self.ca)
    }

    /// The URL of a path below a name of the base domain.
    pub(super) fn url(&self, name: &str, path: &str) -> String {
        format!("https://{name}.konghq.localhost:{}{path}", self.port)
    }

    /// The path of the default control plane and what follows.
    pub(super) fn plane(&self, path: &str) -> String {
        format!("/v2/control-planes/{}{path}", self.default.id)
    }

    /// The path of an entity of the default control plane.
    pub(super) fn entity(&self, path: &str) -> String {
        self.plane(&format!("/core-entities/{path}"))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.client().get(&self.url("us.api", path)).await.unwrap()
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.client()
            .json(method, &self.url("us.api", path), body)
            .await
            .unwrap()
    }

    pub(super) async fn raw(&self, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let (url, headers) = (self.url("us.api", path), [("content-type", kind)]);
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.client()
            .send(method, &url, &headers, body)
            .await
            .unwrap()
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        let url = self.url("us.api", path);
        self.client()
            .send("DELETE", &url, &[], Bytes::new())
            .await
            .unwrap()
    }

    /// Creates something and gives it; fails when the answer is not 201.
    pub(super) async fn create(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", path, &body).await;
        assert_eq!(answer.status, 201, "{path} {body}: {}", answer.text());
        answer.json()
    }

    /// A control plane of an organisation that nobody here has a token of.
    pub(super) async fn foreign_plane(&self) -> ControlPlane {
        let new = NewControlPlane {
            name: "theirs".to_owned(),
            ..NewControlPlane::default()
        };
        self.geo
            .planes
            .create(uuid::Uuid::new_v4(), new)
            .await
            .unwrap()
    }
}

pub(super) fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// The problem's rules by field.
pub(super) fn rules(answer: &Answer) -> Vec<(String, String)> {
    let body = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    body["invalid_parameters"]
        .as_array()
        .unwrap_or_else(|| panic!("{body} has no invalid parameters"))
        .iter()
        .map(|fault| (text(&fault["field"]), text(&fault["rule"])))
        .collect()
}

pub(super) fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

/// Checks that an answer is a problem of the form that all platform APIs share.
pub(super) fn assert_problem(answer: &Answer, status: u16, title: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let body = answer.json();
    assert_eq!(body["status"], json!(status));
    assert_eq!(body["title"], json!(title));
    let instance = body["instance"].as_str().unwrap();
    let number = instance.strip_prefix("konnect:trace:").unwrap();
    assert!(number.parse::<u64>().is_ok(), "{instance}");
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty())
    );
}

#[tokio::test]
async fn options_that_contradict_themselves_are_refused_with_the_reason() {
    let folder = TempDir::new("options");
    let check = |change: fn(&mut PlatformOptions)| {
        let mut options = PlatformOptions::new(folder.join("data"));
        options.listen = "127.0.0.1:0".parse().unwrap();
        change(&mut options);
        async { Platform::open(options).await.unwrap_err().to_string() }
    };
    assert!(check(|o| o.geos.clear()).await.contains("no geo"));
    assert!(
        check(|o| o.geos = vec!["global".to_owned()])
            .await
            .contains("`global`")
    );
    assert!(
        check(|o| o.geos = vec!["us".into(), "us".into()])
            .await
            .contains("twice")
    );
    assert!(
        check(|o| o.geos = vec!["US".into()])
            .await
            .contains("lower-case")
    );
    assert!(
        check(|o| o.base_domain = "a..b".into())
            .await
            .contains("`a..b`")
    );
}

#[tokio::test]
async fn everything_is_kept_over_a_restart() {
    let folder = TempDir::new("restart");
    let open = || {
        let mut options = PlatformOptions::new(folder.join("data"));
        options.listen = "127.0.0.1:0".parse().unwrap();
        Platform::open(options)
    };
    let first = open().await.unwrap();
    let made = first
        .bootstrap("Example", "admin@example.org")
        .await
        .unwrap()
        .unwrap();
    let (ca, organisation) = (first.ca_pem().to_owned(), made.organisation.id);
    drop(first);

    let second = open().await.unwrap();

    assert_eq!(second.ca_pem(), ca);
    assert!(
        second
            .bootstrap("Other", "b@example.org")
            .await
            .unwrap()
            .is_none()
    );
    let planes = second.planes("us").unwrap();
    let plane = planes
        .by_name(organisation, "default")
        .await
        .unwrap()
        .unwrap();
    assert!(plane.is_default);
    let principal = second
        .identity()
        .authenticate(made.token.reveal())
        .await
        .unwrap();
    assert_eq!(principal.organisation, organisation);
    let key = std::fs::metadata(folder.join("data/ca.key")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777,
        0o600
    );
}
