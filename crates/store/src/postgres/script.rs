//! Statements that are sent together: one wait for all of their answers.

use futures_util::future::{BoxFuture, join_all};
use tokio_postgres::types::ToSql;

use super::fault::{Fault, Outcome};
use super::link::Link;

/// A value that a statement takes.
pub(super) type Value = Box<dyn ToSql + Sync + Send>;

/// Values of different types as one list.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::postgres::script::Value),*]
    };
}
pub(super) use values;

/// Statements in order.
#[derive(Default)]
pub(super) struct Script {
    statements: Vec<(&'static str, Vec<Value>)>,
}

impl Script {
    pub(super) fn push(&mut self, sql: &'static str, values: Vec<Value>) {
        self.statements.push((sql, values));
    }

    /// Runs all and gives the numbers of rows. When one fails, those after it fail too; the first
    /// one tells why.
    pub(super) async fn run(&self, link: &Link) -> Outcome<Vec<u64>> {
        self.send(link, false).await.into_iter().collect()
    }

    /// Runs all and commits. A fault comes with whether it is certain that nothing was committed.
    pub(super) async fn commit(&self, link: &Link) -> Result<(), (Fault, bool)> {
        for answer in self.send(link, true).await {
            if let Err(fault) = answer {
                // What the server itself refused, it does not commit. When its answers are missing
                // it may have done all of it.
                let is_certain = fault.keeps_connection();
                return Err((fault, is_certain));
            }
        }
        Ok(())
    }

    async fn send(&self, link: &Link, is_commit: bool) -> Vec<Outcome<u64>> {
        // One that first had to be prepared would fall behind the others.
        for (sql, _) in &self.statements {
            if let Err(fault) = link.statement(sql).await {
                return vec![Err(fault)];
            }
        }
        let values: Vec<Vec<&(dyn ToSql + Sync)>> = self
            .statements
            .iter()
            .map(|(_, values)| values.iter().map(|value| &**value as _).collect())
            .collect();
        let mut running: Vec<BoxFuture<'_, Outcome<u64>>> = Vec::with_capacity(values.len() + 1);
        for ((sql, _), values) in self.statements.iter().zip(&values) {
            running.push(Box::pin(link.execute(sql, values)));
        }
        if is_commit {
            running.push(Box::pin(async { link.batch("COMMIT").await.map(|()| 0) }));
        }
        join_all(running).await
    }
}
