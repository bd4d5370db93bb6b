//! Clearing away what has expired. Every process does it; one at a time finds something.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use uuid::Uuid;

use super::fault::Outcome;
use super::history;
use super::numbers::signed;
use super::room::Room;
use super::writer::{Task, Writer};
use crate::StoreError;
use crate::limits::{AUDIT_KEPT, SWEEP_EVERY, SWEEP_LIMIT};

/// Does so again and again, as long as there is a writer.
pub(super) async fn repeat(room: Arc<Room>, writer: Weak<Writer>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(writer) = writer.upgrade() else {
            return;
        };
        if let Err(error) = sweep(&room, &writer).await {
            tracing::warn!(%error, "expired rows could not be cleared away");
        }
    }
}

/// Clears expired rows away, through the writer so that it makes versions.
pub(super) async fn sweep(room: &Room, writer: &Writer) -> Result<(), StoreError> {
    let found = find(room, clock::unix_millis()).await;
    let found = found.map_err(|fault| fault.into_error("look for expired rows in", &room.place))?;
    for (plane, rows) in found {
        writer.run(Task::Expire(plane, rows)).await?;
    }
    Ok(())
}

async fn find(room: &Room, now: u64) -> Outcome<HashMap<Uuid, Vec<(String, Uuid)>>> {
    let lease = room.pool.lend().await?;
    let sql = "SELECT control_plane, kind, id FROM entity
         WHERE expires_at IS NOT NULL AND expires_at <= $1 LIMIT $2";
    let most = i64::try_from(SWEEP_LIMIT).unwrap_or(1);
    let rows = lease.query(sql, &[&signed(now / 1000), &most]).await?;
    let shorten = "DELETE FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - $1";
    lease.execute(shorten, &[&AUDIT_KEPT]).await?;
    history::clear(&lease, now).await?;
    lease.give_back();
    let mut expired: HashMap<Uuid, Vec<(String, Uuid)>> = HashMap::new();
    for row in &rows {
        let rows = expired.entry(row.try_get(0)?).or_default();
        rows.push((row.try_get(1)?, row.try_get(2)?));
    }
    Ok(expired)
}
