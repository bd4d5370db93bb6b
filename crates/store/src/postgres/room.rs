//! The lanes' side of writing: one transaction for a run of requests, tried again where that is
//! safe, and never reported as failed when it was committed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::apply::Work;
use super::draft::{Step, steps};
use super::fault::{Fault, Outcome, Remedy};
use super::link::Link;
use super::log::{self, Audit, begin};
use super::notices::Notices;
use super::pool::{Lease, Pool};
use super::records;
use super::script::{Script, values};
use super::state::State;
use super::writer::{Answer, Request, Task};
use crate::codec::Codec;
use crate::{Actor, Applied, StoreError};

/// How often a transaction is repeated that collided with another one.
const COLLISIONS: usize = 5;

/// How often the lock of a control plane is asked for; each time waits as long as a statement may.
const LOCK_ATTEMPTS: usize = 12;

/// How often the outcome of a commit without an answer is asked for, and how far apart.
const OUTCOME_ATTEMPTS: usize = 20;
const OUTCOME_EVERY: Duration = Duration::from_millis(250);

/// Stands for records where notices name a control plane.
const RECORDS: Uuid = Uuid::nil();

/// Rows that one statement of a purge removes.
const PURGE_ROWS: i64 = 20_000;

const NOTHING: Applied = Applied {
    version: 0,
    changed: 0,
};

/// What all lanes share.
pub(super) struct Room {
    pub(super) pool: Arc<Pool>,
    pub(super) codec: Arc<Codec>,
    pub(super) notices: Notices,
    pub(super) place: String,
}

/// A transaction before its end.
struct Prepared {
    answers: Vec<Answer>,
    /// Its name, and what is left to run with the commit; `None` when there is nothing to commit.
    rest: Option<(String, Script)>,
    /// The control plane and its version.
    changed: Option<(Uuid, u64)>,
}

impl Room {
    /// One transaction for all. When it fails in itself, each request is tried alone, so that one
    /// does not take the others with it.
    pub(super) async fn commit(&self, run: &[Request]) -> Vec<Answer> {
        match self.persist(run).await {
            Ok(answers) => answers,
            Err(error) if run.len() == 1 => vec![Err(error)],
            Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                run.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) => {
                tracing::warn!(%error, requests = run.len(), "a group of writes failed");
                let mut answers = Vec::with_capacity(run.len());
                for request in run {
                    match self.persist(std::slice::from_ref(request)).await {
                        Ok(one) => answers.extend(one),
                        Err(error) => answers.push(Err(error)),
                    }
                }
                answers
            }
        }
    }

    async fn persist(&self, run: &[Request]) -> Result<Vec<Answer>, StoreError> {
        let (mut is_new, mut collisions, mut waits) = (false, 0, 0);
        loop {
            let fault = match self.attempt(run, is_new).await {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            match fault.remedy() {
                Remedy::Reconnect if !is_new => is_new = true,
                Remedy::Repeat if collisions < COLLISIONS => collisions += 1,
                Remedy::None if fault.is_waiting_for_lock() && waits < LOCK_ATTEMPTS => waits += 1,
                _ => return Err(fault.into_error("write to", &self.place)),
            }
        }
    }

    /// Tries once. A fault means that nothing was committed, or that nobody knows.
    async fn attempt(&self, run: &[Request], is_new: bool) -> Outcome<Vec<Answer>> {
        let lease = if is_new {
            self.pool.lend_new().await?
        } else {
            self.pool.lend().await?
        };
        let prepared = match self.prepare(&lease, run).await {
            Ok(prepared) => prepared,
            Err(fault) => {
                if fault.keeps_connection() && lease.batch("ROLLBACK").await.is_ok() {
                    lease.give_back();
                }
                return Err(fault);
            }
        };
        let Some((transaction, script)) = prepared.rest else {
            lease.batch("ROLLBACK").await?;
            lease.give_back();
            return Ok(prepared.answers);
        };
        self.end(lease, &transaction, &script).await?;
        if let Some((plane, version)) = prepared.changed {
            self.notices.committed(plane, version);
        }
        Ok(prepared.answers)
    }

    /// Runs the rest and commits. When the answer is lost, the database is asked what became of the
    /// transaction.
    async fn end(&self, lease: Lease, transaction: &str, script: &Script) -> Outcome<()> {
        let fault = match script.commit(&lease).await {
            Ok(()) => {
                lease.give_back();
                return Ok(());
            }
            Err((fault, true)) => {
                if lease.batch("ROLLBACK").await.is_ok() {
                    lease.give_back();
                }
                return Err(fault);
            }
            Err((fault, false)) => fault,
        };
        drop(lease);
        for _ in 0..OUTCOME_ATTEMPTS {
            match self.outcome(transaction).await.as_deref() {
                Ok("committed") => return Ok(()),
                // It is as if it had never been asked for.
                Ok("aborted") => return Err(fault),
                Ok(_) | Err(Fault::Database(_)) => tokio::time::sleep(OUTCOME_EVERY).await,
                Err(_) => break,
            }
        }
        let reason = format!(
            "{} went away during a commit, and whether it happened is not known",
            self.place
        );
        Err(StoreError::Unavailable { reason }.into())
    }

    async fn outcome(&self, transaction: &str) -> Outcome<String> {
        let lease = self.pool.lend_new().await?;
        let row = lease
            .one("SELECT pg_xact_status($1::text::xid8)", &[&transaction])
            .await?;
        lease.give_back();
        let status: Option<String> = row.map_or(Ok(None), |row| row.try_get(0))?;
        Ok(status.unwrap_or_default())
    }

    async fn prepare(&self, link: &Link, run: &[Request]) -> Outcome<Prepared> {
        match run.first().map(|request| &request.task) {
            Some(Task::Records(_)) => self.records(link, run).await,
            Some(Task::Purge(plane, actor)) => self.purge(link, *plane, actor, run[0].now).await,
            Some(Task::Apply(batch)) => self.plane(link, batch.control_plane, run).await,
            Some(Task::Expire(plane, _)) => self.plane(link, *plane, run).await,
            None => Ok(Prepared {
                answers: Vec::new(),
                rest: None,
                changed: None,
            }),
        }
    }

    async fn plane(&self, link: &Link, plane: Uuid, run: &[Request]) -> Outcome<Prepared> {
        let codec = &*self.codec;
        // Sealing and hashing happen before the lock is taken.
        let plan = |request| steps_of(codec, plane, request);
        let plans: Vec<Result<Vec<Step<'_>>, StoreError>> = run.iter().map(plan).collect();
        let is_alone = run.iter().any(|request| request.task.is_alone());
        let held = begin(link, plane).await?;
        if is_alone {
            link.batch("SET LOCAL statement_timeout = 0").await?;
        }
        let mut work = Work {
            link,
            codec,
            plane,
            now: run[0].now,
            state: State::default(),
            before: held.before,
            entries: Vec::new(),
        };
        let all: Vec<&Step<'_>> = plans.iter().flatten().flatten().collect();
        work.prefetch(&all).await?;
        let mut answers = Vec::with_capacity(run.len());
        for (request, plan) in run.iter().zip(plans) {
            work.now = request.now;
            let done = match plan {
                Ok(steps) => request_of(&mut work, &request.task, steps).await,
                Err(error) => Err(error.into()),
            };
            match done {
                Ok(applied) => answers.push(Ok(applied)),
                Err(Fault::Refused(error)) if !is_alone => {
                    work.state.undo();
                    answers.push(Err(error));
                }
                Err(fault) => return Err(fault),
            }
        }
        let Some(version) = work.entries.last().map(|entry| entry.version) else {
            return Ok(Prepared {
                answers,
                rest: None,
                changed: None,
            });
        };
        let mut script = work.flush().await?;
        work.record(&mut script);
        self.announce(&mut script, plane, version);
        Ok(Prepared {
            answers,
            rest: Some((held.transaction, script)),
            changed: Some((plane, version)),
        })
    }

    fn announce(&self, script: &mut Script, plane: Uuid, version: u64) {
        let payload = self.notices.payload(plane, version);
        let channel = self.notices.channel.clone();
        script.push("SELECT pg_notify($1, $2)", values![channel, payload]);
    }

    async fn purge(&self, link: &Link, plane: Uuid, actor: &Actor, now: u64) -> Outcome<Prepared> {
        let held = begin(link, plane).await?;
        for table in [
            "entity",
            "unique_key",
            "reference",
            "tag",
            "change_log",
            "history",
        ] {
            let sql = format!(
                "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table}
                 WHERE control_plane = $1 LIMIT {PURGE_ROWS}))"
            );
            while link.execute(&sql, &[&plane]).await? > 0 {}
        }
        for table in ["history_floor", "plane"] {
            let sql = format!("DELETE FROM {table} WHERE control_plane = $1");
            link.execute(&sql, &[&plane]).await?;
        }
        let row = Audit {
            at: now,
            version: 0,
            actor,
            summary: json!([{ "change": "purged" }]).to_string(),
        };
        let mut script = Script::default();
        log::audit(&mut script, plane, vec![row]);
        self.announce(&mut script, plane, 0);
        Ok(Prepared {
            answers: vec![Ok(NOTHING)],
            rest: Some((held.transaction, script)),
            changed: Some((plane, 0)),
        })
    }

    async fn records(&self, link: &Link, run: &[Request]) -> Outcome<Prepared> {
        link.batch("BEGIN").await?;
        let mut answers = Vec::with_capacity(run.len());
        for request in run {
            link.batch("SAVEPOINT request").await?;
            let done = match &request.task {
                Task::Records(operations) => put_records(link, operations, request.now).await,
                _ => Ok(()),
            };
            match done {
                Ok(()) => answers.push(Ok(NOTHING)),
                Err(Fault::Refused(error)) => {
                    link.batch("ROLLBACK TO request").await?;
                    answers.push(Err(error));
                }
                Err(fault) => return Err(fault),
            }
        }
        let sql = "SELECT pg_current_xact_id_if_assigned()::text";
        let row = link.one(sql, &[]).await?;
        let transaction: Option<String> = row.map_or(Ok(None), |row| row.try_get(0))?;
        Ok(Prepared {
            answers,
            rest: transaction.map(|name| {
                let mut script = Script::default();
                self.announce(&mut script, RECORDS, 0);
                (name, script)
            }),
            changed: None,
        })
    }
}

/// The operations of a request, ready.
fn steps_of<'a>(
    codec: &'a Codec,
    plane: Uuid,
    request: &'a Request,
) -> Result<Vec<Step<'a>>, StoreError> {
    match &request.task {
        Task::Apply(batch) => steps(codec, plane, &batch.operations, request.now),
        Task::Purge(..) | Task::Records(_) | Task::Expire(..) => Ok(Vec::new()),
    }
}

async fn request_of<'a>(
    work: &mut Work<'a>,
    task: &Task,
    steps: Vec<Step<'a>>,
) -> Outcome<Applied> {
    let system = Actor::system();
    let actor = match task {
        Task::Apply(batch) => &batch.actor,
        _ => &system,
    };
    for step in steps {
        work.run(step).await?;
    }
    if let Task::Expire(_, rows) = task {
        for (kind, id) in rows {
            let kind = work.codec.kind(kind)?.name;
            // Looking at a row that has expired clears it away.
            work.existing((kind, *id)).await?;
        }
    }
    Ok(work.finish(actor))
}

async fn put_records(link: &Link, operations: &[crate::RecordOperation], now: u64) -> Outcome<()> {
    for operation in operations {
        records::run(link, operation, now).await?;
    }
    Ok(())
}
