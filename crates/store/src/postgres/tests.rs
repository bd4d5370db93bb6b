//! What only the inside can show: clearing away without waiting for it.

use std::sync::Arc;

use serde_json::json;
use test_support::Postgres;
use uuid::Uuid;

use super::{Database, sweep};
use crate::{
    Actor, Batch, Body, KindFacts, Model, Operation, PostgresConfig, Reference, UniqueKey,
};

struct Keys;

impl Model for Keys {
    fn kinds(&self) -> Vec<KindFacts> {
        vec![KindFacts {
            name: "keys",
            is_exported: true,
            has_ttl: true,
            sealed: vec![],
        }]
    }
    fn unique_keys(&self, _kind: &str, _body: &Body) -> Vec<UniqueKey> {
        Vec::new()
    }
    fn references(&self, _kind: &str, _body: &Body) -> Vec<Reference> {
        Vec::new()
    }
}

const PLANE: Uuid = Uuid::from_u128(1);

#[tokio::test]
async fn sweep_clears_expired_rows_away_and_makes_a_version() {
    let server = Postgres::shared();
    let schema = server.fresh_schema();
    let config = PostgresConfig::from_url(&server.url(&schema)).unwrap();
    let sealer = Arc::new(pki::Sealer::from_key(&[7; 32]).unwrap());
    let database = Database::open(config, sealer, Arc::new(Keys)).unwrap();
    let start = clock::unix_millis();
    let frozen = clock::freeze(start);
    let insert = |n: u128| Operation::Insert {
        kind: "keys",
        body: json!({ "id": Uuid::from_u128(n), "ttl": if n < 3 { 10 } else { 100 } })
            .as_object()
            .unwrap()
            .clone(),
    };
    let batch = Batch {
        control_plane: PLANE,
        actor: Actor::system(),
        operations: (0..5).map(insert).collect(),
    };
    database.apply(batch).await.unwrap();
    let rows = || {
        let sql = format!("SELECT count(*) FROM {schema}.entity");
        server.sql(&sql).trim().parse::<u64>().unwrap()
    };
    let writer = database.writer.clone().unwrap();
    sweep::sweep(&database.room, &writer).await.unwrap();
    assert_eq!((rows(), database.version(PLANE).await.unwrap()), (5, 1));
    drop(frozen);
    let _frozen = clock::freeze(start + 11_000);
    let mut notices = database.subscribe();

    sweep::sweep(&database.room, &writer).await.unwrap();

    assert_eq!((rows(), database.version(PLANE).await.unwrap()), (2, 2));
    assert_eq!(notices.recv().await.unwrap().version, 2);
    let trail = database.audit(PLANE, 1, 10).await.unwrap();
    assert_eq!(trail[0].actor_kind, "system");
    let earlier = database.export_at(PLANE, 1).await.unwrap();
    assert!(earlier.is_some());
    drop(writer);
}
