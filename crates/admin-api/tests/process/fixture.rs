//! A process that is made up, behind a real listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use declarative::{Config, Document, Options as Reading};
use entities::{Catalogue, Map};
use gatehouse_admin_api::gateway::{
    self, Answer, Declared, FactError, Facts, LoadError, LoadFuture, Mark, Mode, UpstreamHealth,
};
use gatehouse_admin_api::{Entities, Scope, Source};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::Actor;
use test_support::{Answer as Answered, Client};
use uuid::Uuid;

/// Limit: bytes of a body.
pub(crate) const BODY_MAX: usize = 4096;

/// What the process does when it is asked.
pub(crate) struct Process {
    pub(crate) mode: Mode,
    pub(crate) loaded: Mutex<Vec<(Value, Option<String>)>>,
    pub(crate) is_busy: AtomicBool,
    pub(crate) marks: Mutex<Vec<Mark>>,
    pub(crate) levels: Mutex<Vec<(String, Option<Duration>)>>,
    catalogue: Arc<Catalogue>,
    tables: Mutex<Arc<Config>>,
}

impl Facts for Process {
    fn mode(&self) -> Mode {
        self.mode
    }

    fn root<'a>(&'a self, _: &'a Scope) -> Answer<'a, Value> {
        Box::pin(async { Ok(json!({"version": "3.9.3"})) })
    }

    fn status<'a>(&'a self, _: &'a Scope, query: Option<&'a str>) -> Answer<'a, Value> {
        Box::pin(async move {
            match query {
                Some("unit=x") => Err(FactError::Refused("invalid unit 'x'".to_owned())),
                Some("broken") => Err(FactError::Unavailable("a secret reason".to_owned())),
                _ => Ok(json!({"server": {}})),
            }
        })
    }

    fn node_id(&self) -> Uuid {
        Uuid::from_u128(7)
    }

    fn enabled_plugins(&self) -> Vec<String> {
        vec!["key-auth".to_owned()]
    }

    fn upstream_health<'a>(
        &'a self,
        _: &'a Scope,
        _: &'a Map,
        targets: &'a [Map],
    ) -> Answer<'a, UpstreamHealth> {
        Box::pin(async move {
            let mut health = UpstreamHealth::default();
            let word = |word: &str| Map::from_iter([("health".to_owned(), json!(word))]);
            health.balancer = word("HEALTHY");
            for target in targets {
                let address = target["target"].as_str().unwrap().to_owned();
                health.targets.insert(address, word("DNS_ERROR"));
            }
            Ok(health)
        })
    }

    fn mark<'a>(&'a self, _: &'a Scope, mark: Mark) -> Answer<'a, ()> {
        self.marks.lock().push(mark);
        Box::pin(async { Ok(()) })
    }

    fn data_planes<'a>(&'a self, _: &'a Scope) -> Answer<'a, Vec<Map>> {
        let row = json!({"id": "0f0c", "hostname": "gw-1", "ip": "10.0.0.1", "last_seen": 5,
                         "config_hash": "ab", "version": "3.9.3"});
        Box::pin(async move { Ok(vec![row.as_object().unwrap().clone()]) })
    }

    fn set_log_level(&self, level: &str, time: Option<Duration>) -> Result<(), FactError> {
        self.levels.lock().push((level.to_owned(), time));
        Ok(())
    }

    fn declared(&self) -> Option<&dyn Declared> {
        (self.mode == Mode::Declarative).then_some(self)
    }
}

impl Declared for Process {
    fn load(&self, document: Document, text: Option<&str>) -> LoadFuture<'_> {
        let text = text.map(str::to_owned);
        Box::pin(async move {
            if self.is_busy.load(Ordering::Relaxed) {
                return Err(LoadError::Busy);
            }
            let value = document.value().clone();
            let config = document.into_config(&self.catalogue, Reading::default());
            let config = Arc::new(config.map_err(LoadError::Invalid)?);
            self.loaded.lock().push((value, text));
            *self.tables.lock() = Arc::clone(&config);
            Ok(config)
        })
    }

    fn is_active(&self, text: &str) -> bool {
        let loaded = self.loaded.lock();
        loaded
            .last()
            .is_some_and(|(_, last)| last.as_deref() == Some(text))
    }

    fn export(&self) -> String {
        "_format_version: '3.0'\n".to_owned()
    }
}

/// The API of a process, listening.
pub(crate) struct Running {
    pub(crate) process: Arc<Process>,
    url: String,
}

impl Running {
    pub(crate) async fn start(mode: Mode) -> Self {
        let catalogue = Arc::new(Catalogue::new(plugins::catalogue()));
        let process = Arc::new(Process {
            mode,
            loaded: Mutex::default(),
            is_busy: AtomicBool::new(false),
            marks: Mutex::default(),
            levels: Mutex::default(),
            catalogue: Arc::clone(&catalogue),
            tables: Mutex::default(),
        });
        let running = Arc::clone(&process);
        let source = Source::Declarative(Arc::new(move || Arc::clone(&running.tables.lock())));
        let entities = Entities::over(catalogue, source);
        let options = gateway::Options {
            max_body: BODY_MAX,
            ..gateway::Options::default()
        };
        let facts = Arc::clone(&process) as Arc<dyn Facts>;
        let scope = Scope {
            control_plane: Uuid::nil(),
            actor: Actor::system(),
            read_only: None,
        };
        let router = gateway::router(entities, facts, options).layer(Extension(scope));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { process, url }
    }

    /// Sends a request; the type of the body only where one is given.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: &str,
    ) -> Answered {
        let headers: Vec<_> = kind
            .map(|kind| ("content-type", kind))
            .into_iter()
            .collect();
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        let url = format!("{}{path}", self.url);
        Client::new()
            .send(method, &url, &headers, body)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, None, "").await
    }

    pub(crate) async fn put(&self, path: &str) -> Answered {
        self.send("PUT", path, None, "").await
    }

    /// Takes a configuration into use.
    pub(crate) async fn configure(&self, document: &Value) {
        let kind = Some("application/json");
        let answer = self
            .send("POST", "/config", kind, &document.to_string())
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}
