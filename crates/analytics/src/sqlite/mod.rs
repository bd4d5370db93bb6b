//! The file: one thread writes in groups, a few connections read.

mod open;
mod reader;
mod window;
mod writer;

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::AnalyticsError;
use crate::intake::{Accepted, Summed};
use crate::query::{Losses, Query, Range, Rows};
use reader::Readers;
use writer::{Task, Writer};

/// An open file.
pub(crate) struct Database {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, AnalyticsError> {
        let connection = open::writer(path)?;
        let writer = Writer::start(connection, path.to_owned())?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers: Readers::new(path.to_owned()),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn keep(&self, summed: Summed) -> Result<Accepted, AnalyticsError> {
        let accepted = self.writer.run(Task::Keep(summed)).await?;
        accepted.ok_or_else(|| AnalyticsError::Storage {
            action: "count a batch".to_owned(),
            detail: "it got no answer".to_owned(),
        })
    }

    pub(crate) async fn purge(&self, plane: Uuid) -> Result<(), AnalyticsError> {
        self.writer.run(Task::Purge(plane)).await.map(drop)
    }

    pub(crate) async fn query(&self, plane: Uuid, query: Query) -> Result<Rows, AnalyticsError> {
        let span = query.minutes()?;
        self.readers
            .run(move |connection| reader::query(connection, plane, query, span))
            .await
    }

    pub(crate) async fn losses(&self, plane: Uuid, range: Range) -> Result<Losses, AnalyticsError> {
        let span = Query::over(range).minutes()?;
        self.readers
            .run(move |connection| reader::losses(connection, plane, span))
            .await
    }
}
