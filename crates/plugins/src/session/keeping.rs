//! Sessions in the node's database.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plugin_api::{Database, DatabaseError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::seal::{Id, Sealer, State};

/// The kind of rows.
const KIND: &str = "sessions";

/// Sessions of one node.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    database: Arc<dyn Database>,
}

impl Keeper {
    pub(super) fn new(database: Arc<dyn Database>) -> Self {
        Self { database }
    }

    /// The state of a session, if it is kept.
    pub(super) async fn find(
        &self,
        sealer: &Sealer,
        id: &Id,
        now: u64,
    ) -> Result<Option<State>, DatabaseError> {
        let row = self.database.find(KIND, "session_id", name(id)).await?;
        Ok(row.and_then(|row| {
            let expires = row.get("expires").and_then(Value::as_u64)?;
            let data = row.get("data").and_then(Value::as_str)?;
            (expires > now).then(|| sealer.open_row(id, data)).flatten()
        }))
    }

    /// Keeps a session. The answer does not wait for it: the browser comes back later.
    pub(super) fn put(&self, sealer: &Sealer, id: &Id, state: &State, expires: u64) {
        let Some(data) = sealer.seal_row(id, state) else {
            return;
        };
        let row = row(id, &data, state.created, expires);
        apart(self.database.put(KIND, row));
    }

    /// Forgets a session.
    pub(super) fn remove(&self, id: &Id) {
        apart(self.database.delete(KIND, row_id(id)));
    }
}

/// Lets a write run apart from the request.
fn apart(write: plugin_api::DatabaseFuture<()>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        if let Err(error) = write.await {
            tracing::warn!(%error, "a session could not be written");
        }
    });
}

/// What the row of a session is found by: no row holds what a cookie shows.
fn name(id: &Id) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, id).as_ref())
}

fn row_id(id: &Id) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name(id).as_bytes())
}

fn row(id: &Id, data: &str, created: u64, expires: u64) -> Map<String, Value> {
    let row = json!({
        "id": row_id(id),
        "session_id": name(id),
        "expires": expires,
        "data": data,
        "created_at": created,
        // Compat: in a table `ttl` is the second at which the row ends.
        "ttl": expires,
    });
    match row {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}
