//! A small model of entities, places for stores, and the usual steps of the tests.

use std::path::Path;
use std::sync::Arc;

use entities::{Catalogue, NoPlugins};
use gatehouse_store::{
    Actor, Applied, Batch, Body, KindFacts, Location, Model, OnDelete, Operation, PostgresConfig,
    PostgresServer, Reference, Seal, Store, StoreError, StoreOptions, UniqueKey,
};
use serde_json::{Value, json};
use test_support::{Postgres, TempDir};
use uuid::Uuid;

/// Six kinds that have what entities can have.
pub(crate) struct SmallModel;

impl SmallModel {
    fn kind(name: &'static str) -> KindFacts {
        let sealed = match name {
            "certificates" | "keyauth_credentials" => vec!["key"],
            _ => vec![],
        };
        let (has_ttl, is_exported) = (name == "keyauth_credentials", name != "notes");
        KindFacts {
            name,
            is_exported,
            has_ttl,
            sealed,
        }
    }
}

impl Model for SmallModel {
    fn kinds(&self) -> Vec<KindFacts> {
        [
            "certificates",
            "services",
            "routes",
            "consumers",
            "keyauth_credentials",
            "notes",
        ]
        .map(Self::kind)
        .to_vec()
    }

    fn unique_keys(&self, kind: &str, body: &Body) -> Vec<UniqueKey> {
        let fields: &[&[&str]] = match kind {
            "services" | "routes" | "consumers" => &[&["name"]],
            "keyauth_credentials" => &[&["key"]],
            "notes" => &[&["title", "service"]],
            _ => &[],
        };
        let key = |fields: &&[&str]| {
            let values: Vec<String> = fields
                .iter()
                .filter_map(|field| body.get(*field).and_then(text))
                .collect();
            (values.len() == fields.len()).then(|| UniqueKey {
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
                value: values.join(":"),
            })
        };
        fields.iter().filter_map(key).collect()
    }

    fn references(&self, kind: &str, body: &Body) -> Vec<Reference> {
        let fields: &[(&str, &str, OnDelete)] = match kind {
            "services" => &[("client_certificate", "certificates", OnDelete::Restrict)],
            "routes" => &[("service", "services", OnDelete::Restrict)],
            "keyauth_credentials" => &[("consumer", "consumers", OnDelete::Cascade)],
            "notes" => &[
                ("service", "services", OnDelete::SetNull),
                ("consumer", "consumers", OnDelete::Cascade),
            ],
            _ => &[],
        };
        fields
            .iter()
            .filter_map(|(field, kind, on_delete)| {
                let id = body.get(*field)?.get("id")?.as_str()?;
                Some(Reference {
                    field: (*field).to_owned(),
                    kind: (*kind).to_owned(),
                    id: Uuid::parse_str(id).ok()?,
                    on_delete: *on_delete,
                    is_soft: false,
                })
            })
            .collect()
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(foreign) => foreign.get("id")?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// A sealer with a fixed key.
pub(crate) fn sealer(key: u8) -> Arc<dyn Seal> {
    Arc::new(pki::Sealer::from_key(&[key; 32]).unwrap())
}

pub(crate) fn open(path: &Path) -> Result<Store, StoreError> {
    open_with(path, 1)
}

pub(crate) fn open_with(path: &Path, key: u8) -> Result<Store, StoreError> {
    let catalogue = Arc::new(SmallModel);
    Store::open(StoreOptions {
        location: path.to_owned().into(),
        sealer: sealer(key),
        catalogue,
    })
}

/// Ids that are easy to read in a failure.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) const PLANE: Uuid = Uuid::from_u128(0xA);
pub(crate) const OTHER_PLANE: Uuid = Uuid::from_u128(0xB);

pub(crate) fn body(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) fn service(number: u128, name: &str) -> Body {
    body(json!({ "id": id(number), "name": name, "host": "example.com", "created_at": 1 }))
}

pub(crate) fn route(number: u128, name: &str, service: u128) -> Body {
    body(json!({ "id": id(number), "name": name, "service": { "id": id(service) } }))
}

pub(crate) fn consumer(number: u128, name: &str) -> Body {
    body(json!({ "id": id(number), "name": name }))
}

pub(crate) fn credential(number: u128, key: &str, consumer: u128) -> Body {
    body(json!({ "id": id(number), "key": key, "consumer": { "id": id(consumer) } }))
}

pub(crate) fn insert(kind: &'static str, body: Body) -> Operation {
    Operation::Insert { kind, body }
}

/// Service 1 and route 2 of it.
pub(crate) fn service_with_route() -> Vec<Operation> {
    vec![
        insert("services", service(1, "s")),
        insert("routes", route(2, "r", 1)),
    ]
}

pub(crate) fn delete(kind: &'static str, number: u128) -> Operation {
    Operation::Delete {
        kind,
        id: id(number),
    }
}

pub(crate) async fn apply_to(
    store: &Store,
    control_plane: Uuid,
    operations: Vec<Operation>,
) -> Result<Applied, StoreError> {
    store
        .apply(Batch {
            control_plane,
            actor: Actor::system(),
            operations,
        })
        .await
}

pub(crate) async fn apply(
    store: &Store,
    operations: Vec<Operation>,
) -> Result<Applied, StoreError> {
    apply_to(store, PLANE, operations).await
}

/// A place for a store of one scenario; what is there goes with it.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(Box<PostgresConfig>),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new("store"))
    }

    /// A schema of its own on the server that all scenarios share.
    pub(crate) fn postgres() -> Self {
        let server = Postgres::shared();
        Self::Postgres(Box::new(postgres_config(server, &server.fresh_schema())))
    }

    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Sqlite(folder) => folder.join("a.db").into(),
            Self::Postgres(config) => (**config).clone().into(),
        }
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        open_at(self.location(), 1, Arc::new(SmallModel))
    }

    pub(crate) fn open_with_key(&self, key: u8) -> Result<Store, StoreError> {
        open_at(self.location(), key, Arc::new(SmallModel))
    }

    /// With the entities of the product.
    pub(crate) fn open_real(&self) -> Store {
        let catalogue = Catalogue::new(Arc::new(NoPlugins));
        open_at(self.location(), 1, Arc::new(catalogue)).unwrap()
    }

    /// Runs a statement on the database behind the store's back.
    pub(crate) fn sql(&self, statement: &str) {
        match self {
            Self::Sqlite(folder) => {
                let intruder = rusqlite::Connection::open(folder.join("a.db")).unwrap();
                intruder.execute_batch(statement).unwrap();
            }
            Self::Postgres(config) => {
                let schema = &config.schema;
                Postgres::shared().sql(&format!("SET search_path TO {schema}; {statement}"));
            }
        }
    }
}

/// How a server of the tests is reached.
pub(crate) fn postgres_config(server: &Postgres, schema: &str) -> PostgresConfig {
    PostgresConfig {
        server: PostgresServer {
            port: server.port(),
            user: server.user().to_owned(),
            database: server.database().to_owned(),
            ..PostgresServer::default()
        },
        schema: schema.to_owned(),
        max_connections: 4,
        ..PostgresConfig::default()
    }
}

pub(crate) fn open_at(
    location: Location,
    key: u8,
    catalogue: Arc<dyn Model>,
) -> Result<Store, StoreError> {
    Store::open(StoreOptions {
        location,
        sealer: sealer(key),
        catalogue,
    })
}

/// Runs each scenario on each database.
macro_rules! on_both_stores {
    ($($scenario:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "current_thread")]
            async fn $scenario() {
                super::$scenario(crate::common::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "current_thread")]
            async fn $scenario() {
                super::$scenario(crate::common::Place::postgres()).await;
            })*
        }
    };
    (threads: $($scenario:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::common::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::common::Place::postgres()).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;
