//! A snapshot made from the running one and the rows that changed, at the cost of these.
//!
//! Takes over routes: added, changed, removed. Services, plugins, credentials, upstreams and
//! certificates reach into everything that is compiled; a change of one of them compiles everything,
//! and so does anything that is wrong, so that what is said about it is said in one place.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use entities::Map;
use uuid::Uuid;

use super::compile::{BothChains, Report, Row, route_entry};
use super::services::ServicesById;
use super::setup::Compile;
use super::types::Snapshot;

/// The kind of rows that is taken over.
const ROUTES: &str = "routes";

/// A row as it is now.
#[derive(Clone, PartialEq)]
pub struct RowChange {
    /// Plural name of the entity.
    pub kind: String,
    /// The row.
    pub id: Uuid,
    /// Its content; `None` when it is no longer there.
    pub body: Option<Map>,
}

impl fmt::Debug for RowChange {
    /// Leaves out the content: rows hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowChange")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What routes are compiled with.
pub(super) struct Base {
    /// The configuration that this is of.
    pub(super) hash: String,
    pub(super) services: ServicesById,
    pub(super) chains: BothChains,
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base")
            .field("hash", &self.hash)
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The snapshot of the configuration that has these rows in place of those of this one, which is
    /// the last that `node` compiled. It answers as one that is compiled from all rows does. `None` when
    /// everything is to be compiled.
    #[must_use]
    pub fn changed(&self, changes: &[RowChange], hash: &str, node: &Compile) -> Option<Self> {
        if self.is_empty || changes.iter().any(|change| change.kind != ROUTES) {
            return None;
        }
        let mut memory = node.routes.lock();
        let memory = memory.as_mut()?;
        let base = memory.base.as_mut().filter(|base| base.hash == self.hash)?;
        let mut report = Report::default();
        let mut entries = BTreeMap::new();
        for change in changes {
            let entry = change.body.as_ref().and_then(|body| {
                let row = Row {
                    kind: ROUTES,
                    position: 0,
                    body,
                };
                route_entry(row, &base.services, &mut base.chains, &mut report)
            });
            entries.insert(change.id, entry);
        }
        if !report.problems.is_empty() {
            return None;
        }
        let (router, routes) = memory.change(entries).ok()?;
        // Without routes the configuration may be empty, which is told of otherwise.
        let base = memory.base.take().filter(|_| !routes.is_empty())?;
        memory.base = Some(Base {
            hash: hash.to_owned(),
            ..base
        });
        Some(Self {
            router,
            routes,
            balancers: Arc::clone(&self.balancers),
            globals: Arc::clone(&self.globals),
            lookups: Arc::clone(&self.lookups),
            raised: self.raised.clone(),
            certificates: Arc::clone(&self.certificates),
            hash: hash.to_owned(),
            is_empty: false,
            plugin_names: self.plugin_names.clone(),
            notices: self.notices.clone(),
        })
    }
}
