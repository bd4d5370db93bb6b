//! A server with both dialects on a free port, and what asks it.

use std::sync::Arc;

use axum::{Extension, Router};
use bytes::Bytes;
use entities::Catalogue;
use gatehouse_admin_api::core::{self, Mount};
use gatehouse_admin_api::gateway::{self, Answer as FactAnswer, FactError, Facts, Mode};
use gatehouse_admin_api::{Entities, Scope, Source};
use serde_json::{Value, json};
use store::{Actor, Location, PostgresConfig, Store, StoreOptions};
use test_support::{Answer, Client, Postgres, TempDir, TestAuthority};
use uuid::Uuid;

/// A process that knows nothing.
struct Nothing;

impl Facts for Nothing {
    fn mode(&self) -> Mode {
        Mode::Database
    }

    fn root<'a>(&'a self, _: &'a Scope) -> FactAnswer<'a, Value> {
        Box::pin(async { Ok(json!({"tagline": "hello"})) })
    }

    fn status<'a>(&'a self, _: &'a Scope, _: Option<&'a str>) -> FactAnswer<'a, Value> {
        Box::pin(async { Err(FactError::Unavailable("nobody knows".to_owned())) })
    }

    fn enabled_plugins(&self) -> Vec<String> {
        vec!["key-auth".to_owned()]
    }
}

/// Which dialect is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The gateway's own.
    Gateway,
    /// That of control planes.
    Core,
}

pub(crate) const BOTH: [Dialect; 2] = [Dialect::Gateway, Dialect::Core];

/// A running server.
pub(crate) struct Fixture {
    origin: String,
    plane: Uuid,
    dialect: Dialect,
    _kept: Option<Kept>,
}

/// An open store. Every server over it has a control plane of its own.
#[derive(Clone)]
pub(crate) struct Kept {
    name: &'static str,
    entities: Entities,
    _folder: Arc<TempDir>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Kept {
    fn open(name: &'static str, location: impl FnOnce(&TempDir) -> Location) -> Self {
        let folder = TempDir::new("dialects");
        let catalogue = Arc::new(Catalogue::new(plugins::catalogue()));
        let store = Store::open(StoreOptions {
            location: location(&folder),
            sealer: Arc::new(pki::Sealer::from_key(&[7; 32]).unwrap()),
            catalogue: catalogue.clone(),
        })
        .unwrap();
        Self {
            name,
            entities: Entities::new(catalogue, store),
            _folder: Arc::new(folder),
        }
    }

    fn sqlite() -> Self {
        Self::open("SQLite", |folder| {
            Location::Sqlite(folder.join("entities.db"))
        })
    }

    /// A store of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres(Postgres::shared())]
    }

    /// A store in a schema of its own.
    pub(crate) fn postgres(server: &Postgres) -> Self {
        let url = server.url(&server.fresh_schema());
        let config = PostgresConfig::from_url(&url).unwrap();
        Self::open("PostgreSQL", |_| Location::Postgres(Box::new(config)))
    }
}

impl Fixture {
    /// A server over a new store.
    pub(crate) async fn start(dialect: Dialect) -> Self {
        Self::on(&Kept::sqlite(), dialect).await
    }

    /// A server with a new control plane.
    pub(crate) async fn on(kept: &Kept, dialect: Dialect) -> Self {
        let entities = kept.entities.clone();
        Self::over(entities, dialect, Some(kept.clone()), None).await
    }

    /// A server of the gateway's dialect over any source.
    pub(crate) async fn of_source(source: Source) -> Self {
        let catalogue = Arc::new(Catalogue::new(plugins::catalogue()));
        let entities = Entities::over(catalogue, source);
        Self::over(entities, Dialect::Gateway, None, None).await
    }

    /// A server where nothing can be written.
    pub(crate) async fn read_only(dialect: Dialect) -> Self {
        let kept = Kept::sqlite();
        let reason = Some("it is read-only");
        Self::over(kept.entities.clone(), dialect, Some(kept), reason).await
    }

    async fn over(
        entities: Entities,
        dialect: Dialect,
        kept: Option<Kept>,
        read_only: Option<&'static str>,
    ) -> Self {
        let plane = Uuid::new_v4();
        let scope = Scope {
            control_plane: plane,
            actor: Actor::system(),
            read_only,
        };
        let options = gateway::Options::default();
        let admin = gateway::router(entities.clone(), Arc::new(Nothing), options);
        let router = Router::new()
            .merge(core::router(entities, Mount::CoreEntities))
            .fallback_service(admin)
            .layer(Extension(scope));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            origin: format!("http://localhost:{port}"),
            plane,
            dialect,
            _kept: kept,
        }
    }

    /// The same server in the other dialect.
    pub(crate) fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        match self.dialect {
            Dialect::Gateway => format!("{}/{path}", self.origin),
            Dialect::Core => format!(
                "{}/v2/control-planes/{}/core-entities/{path}",
                self.origin, self.plane
            ),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Client::new().get(&self.url(path)).await.unwrap()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = self.url(path);
        Client::new().json(method, &url, body).await.unwrap()
    }

    pub(crate) async fn bare(&self, method: &str, path: &str) -> Answer {
        self.raw(method, path, &[], "").await
    }

    pub(crate) async fn form(&self, method: &str, path: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.raw(method, path, &headers, form).await
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let body = Bytes::from(body.into());
        let client = Client::new();
        let sent = client.send(method, &self.url(path), headers, body).await;
        sent.unwrap()
    }

    /// Creates something; fails when the answer is not 201.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", path, &body).await;
        assert_eq!(answer.status, 201, "{path} {body}: {}", answer.text());
        answer.json()
    }
}

/// A certificate with its key, as a body.
pub(crate) fn certificate() -> Value {
    let identity = TestAuthority::new("tests").server(&["a.test"]);
    json!({"cert": identity.certificate, "key": identity.key})
}

/// An error of the gateway's dialect with a code.
pub(crate) fn coded(code: u32, name: &str, message: &str, fields: impl Into<Value>) -> Value {
    let fields = fields.into();
    json!({"code": code, "name": name, "message": message, "fields": fields})
}
