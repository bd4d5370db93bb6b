//! What plugins keep in the database while requests run, and what the settings say of tracing.
//!
//! Answers are fetched on the runtime of the node, not on the cores: a connection to a database
//! never belongs to a core.

use std::sync::Arc;

use conf::Settings;
use plugin_api::{Addition, DatabaseError, DatabaseFuture, Instruments, Tracing};
use serde_json::{Map, Value, json};
use store::{Actor, Batch, Expect, Operation, RecordOperation, RecordQuery, Store, StoreError};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::database::{Database, LOCAL_PLANE};

/// Where counters are kept.
const COUNTERS: &str = "plugin_counters";

/// Limit: attempts at a counter that another node changes at the same time.
const ATTEMPTS_MAX: usize = 16;

/// Counters that were read or written between two looks for forgotten ones.
const SWEEP_EVERY: u64 = 4096;

/// The database as plugins see it.
#[derive(Debug)]
pub(super) struct Rows {
    database: Database,
    runtime: Handle,
    counted: Arc<std::sync::atomic::AtomicU64>,
}

/// What the settings say of tracing.
pub(super) fn tracing(settings: &Settings) -> Tracing {
    let names = settings.tracing_instrumentations.iter();
    Tracing {
        instruments: names.fold(Instruments::NONE, |all, name| {
            all | Instruments::named(name)
        }),
        sampling_rate: settings.tracing_sampling_rate,
    }
}

impl Rows {
    /// The database for plugins. Call it on the runtime of the node.
    pub(super) fn shared(database: Database) -> Arc<dyn plugin_api::Database> {
        Arc::new(Self {
            database,
            runtime: Handle::current(),
            counted: Arc::default(),
        })
    }

    /// Runs a question on the runtime of the node.
    fn ask<T, F>(&self, question: impl FnOnce(Store) -> F + Send + 'static) -> DatabaseFuture<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let store = self.database.store().cloned();
        let runtime = self.runtime.clone();
        Box::pin(async move {
            let Some(store) = store else {
                return Err(DatabaseError("the database is away".to_owned()));
            };
            match runtime.spawn(question(store)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(DatabaseError(error.to_string())),
                Err(error) => Err(DatabaseError(error.to_string())),
            }
        })
    }
}

impl plugin_api::Database for Rows {
    fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>> {
        self.ask(move |store| async move { store.find(LOCAL_PLANE, kind, field, &value).await })
    }

    fn put(&self, kind: &'static str, row: Map<String, Value>) -> DatabaseFuture<()> {
        self.ask(move |store| apply(store, Operation::Upsert { kind, body: row }))
    }

    fn take(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<bool> {
        self.ask(move |store| async move {
            match apply(store, Operation::Delete { kind, id }).await {
                Ok(()) => Ok(true),
                Err(StoreError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn delete(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<()> {
        self.ask(move |store| async move {
            match apply(store, Operation::Delete { kind, id }).await {
                Err(StoreError::NotFound { .. }) => Ok(()),
                other => other,
            }
        })
    }

    fn count(&self, additions: Vec<Addition>) -> DatabaseFuture<Vec<u64>> {
        let counted = Arc::clone(&self.counted);
        self.ask(move |store| async move {
            let mut totals = Vec::with_capacity(additions.len());
            for addition in &additions {
                totals.push(add(&store, addition).await?);
            }
            let number = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number % SWEEP_EVERY == SWEEP_EVERY - 1 {
                sweep(&store).await?;
            }
            Ok(totals)
        })
    }
}

async fn apply(store: Store, operation: Operation) -> Result<(), StoreError> {
    let batch = Batch {
        control_plane: LOCAL_PLANE,
        actor: Actor::system(),
        operations: vec![operation],
    };
    store.apply(batch).await.map(|_| ())
}

/// Adds to a counter; gives what it holds then.
async fn add(store: &Store, addition: &Addition) -> Result<u64, StoreError> {
    let id = Uuid::new_v5(&LOCAL_PLANE, addition.counter.as_bytes());
    let mut last = None;
    for _ in 0..ATTEMPTS_MAX {
        let record = store.record_get(COUNTERS, id).await?;
        let held = record
            .as_ref()
            .and_then(|record| record.body["value"].as_u64());
        let total = held.unwrap_or(0).saturating_add(addition.by);
        if addition.by == 0 {
            return Ok(total);
        }
        let put = RecordOperation::Put {
            space: COUNTERS,
            id,
            owner: LOCAL_PLANE,
            body: json!({"value": total, "expires_at": addition.expires_at}),
            unique: Vec::new(),
            expect: record.map_or(Expect::Absent, |record| Expect::Body(record.body)),
        };
        match store.record_batch(vec![put]).await {
            Ok(()) => return Ok(total),
            Err(error @ StoreError::Unavailable { .. }) => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or(StoreError::Unavailable {
        reason: "a counter is changed too often".to_owned(),
    }))
}

/// Removes the counters whose time is over.
async fn sweep(store: &Store) -> Result<(), StoreError> {
    let now = clock::unix_millis() / 1000;
    let mut query = RecordQuery::default();
    loop {
        let page = store.record_list(COUNTERS, query).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        query.after = Some(last.id);
        let is_over = |body: &Value| body["expires_at"].as_u64().is_some_and(|end| end < now);
        for record in page.iter().filter(|record| is_over(&record.body)) {
            match store.record_delete(COUNTERS, record.id).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
