//! The table of scenarios: what a row of it says, and the runs that come of it.
//!
//! The rows are in `rows`, the scenarios in `kinds`, `refusals`, `pages` and `raw_bodies`; each
//! runs every row on both stores in both dialects.

use serde_json::Value;

use super::fixture::{BOTH, Dialect, Fixture, Kept};
use super::rows::ROWS;

/// A collection and a body.
pub(crate) type Before = (&'static str, fn() -> Value);

/// A place and what is said about it; an empty place is the whole entity.
pub(crate) type Said = (&'static str, &'static str);

/// One kind and how it is written.
pub(crate) struct Row {
    /// Plural name of the kind.
    pub(crate) kind: &'static str,
    /// Entities that have to exist: collection and body.
    pub(crate) before: &'static [Before],
    /// Where it is written.
    pub(crate) path: &'static str,
    /// Where all of them are listed.
    pub(crate) list: &'static str,
    /// Where control planes list all of them, if not there.
    pub(crate) core_list: Option<&'static str>,
    /// Whether control planes serve it.
    pub(crate) is_in_core: bool,
    /// The least a body needs.
    pub(crate) body: fn() -> Value,
    /// The member of its other key.
    pub(crate) key: Option<&'static str>,
    /// A member and another value for it.
    pub(crate) change: (&'static str, fn() -> Value),
    /// What an equal body clashes in; empty when it does not.
    pub(crate) clash: &'static [&'static str],
    /// Members that make another entity of the body, by a number.
    pub(crate) vary: fn(usize) -> Value,
    /// What a body without members is told.
    pub(crate) empty: &'static [Said],
    /// Members that are wrong beside the body's others, and what is said about them.
    pub(crate) wrong: (fn() -> Value, &'static [Said]),
    /// A member that refers to another entity, and the other kind.
    pub(crate) reference: Option<(&'static str, &'static str)>,
}

impl Row {
    /// Where all of them are listed.
    pub(crate) fn list(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Gateway => self.list,
            Dialect::Core => self.core_list.unwrap_or(self.list),
        }
    }

    /// Whether the list stands inside another entity, where tags do not filter.
    pub(crate) fn is_nested_list(&self, dialect: Dialect) -> bool {
        self.list(dialect).contains("/") && !self.list(dialect).starts_with("graphql")
    }

    /// The body of another entity of the kind.
    pub(crate) fn other(&self, number: usize) -> Value {
        merged((self.body)(), (self.vary)(number))
    }
}

/// What differs from the table; told all at once when the scenario ends.
#[derive(Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Notes it when the answer is another one.
    pub(crate) fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        at: &str,
        found: &T,
        wanted: &T,
    ) {
        if found != wanted {
            self.0
                .push(format!("{at}\n  found {found:?}\n wanted {wanted:?}"));
        }
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        let is_ending = std::thread::panicking();
        assert!(is_ending || self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

pub(crate) fn merged(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("{more} is no object");
    };
    for (name, value) in more {
        body[name] = value;
    }
    body
}

/// Every row in every dialect that serves it, on every store.
pub(crate) fn scenarios() -> Vec<(&'static Row, Dialect, Kept)> {
    let mut all = Vec::new();
    for kept in Kept::both() {
        for dialect in BOTH {
            let rows = ROWS.iter();
            let served = rows.filter(|row| row.is_in_core || dialect == Dialect::Gateway);
            all.extend(served.map(|row| (row, dialect, kept.clone())));
        }
    }
    all
}

pub(crate) async fn start(row: &Row, dialect: Dialect, kept: &Kept) -> Fixture {
    let fixture = Fixture::on(kept, dialect).await;
    for (path, body) in row.before {
        fixture.create(path, body()).await;
    }
    fixture
}
