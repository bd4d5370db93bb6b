//! Why the store refused or failed.

use std::fmt;

use uuid::Uuid;

use crate::Body;

/// Why an operation did not happen. Nothing of its batch happened either.
///
/// The texts name rows and fields but never values, which may be credentials; a caller that
/// answers the person who sent them finds the values in the fields.
#[derive(thiserror::Error, Clone, PartialEq)]
pub enum StoreError {
    /// Another row already holds a value that has to be unique.
    #[error("`{}` of `{kind}` is already taken by `{holder}`", field_names(.fields))]
    Unique {
        /// Plural name of the entity, or the space of the record.
        kind: String,
        /// The fields that are unique together, with the values sent (`null` for absent ones).
        fields: Body,
        /// The row that holds them.
        holder: Uuid,
    },
    /// A row with this id exists already.
    #[error("`{kind}` already has a row with the id `{id}`")]
    PrimaryKey {
        /// Plural name of the entity, or the space of the record.
        kind: String,
        /// The id.
        id: Uuid,
    },
    /// A field refers to a row that does not exist.
    #[error("`{field}` of `{kind}` refers to `{target}`, which is not in `{target_kind}`")]
    Foreign {
        /// Plural name of the referring entity.
        kind: String,
        /// The referring row.
        id: Uuid,
        /// The referring field.
        field: String,
        /// Plural name of what it refers to.
        target_kind: String,
        /// The missing row.
        target: Uuid,
    },
    /// A row cannot go while another one refers to it.
    #[error("a row of `{by}` still refers to `{id}` of `{kind}`; remove or change it first")]
    Referenced {
        /// Plural name of the entity to be removed.
        kind: String,
        /// The row to be removed.
        id: Uuid,
        /// Plural name of the entity that refers to it.
        by: String,
        /// The row that refers to it.
        by_id: Uuid,
    },
    /// There is no such row.
    #[error("`{kind}` has no row with the id `{id}`")]
    NotFound {
        /// Plural name of the entity, or the space of the record.
        kind: String,
        /// The id.
        id: Uuid,
    },
    /// The row is no longer what the caller read; read it again and repeat.
    #[error("`{id}` of `{kind}` has changed since it was read; read it again and repeat")]
    Stale {
        /// Plural name of the entity, or the space of the record.
        kind: String,
        /// The id.
        id: Uuid,
    },
    /// The control plane is no longer at the version that was expected.
    #[error("the configuration is at version {current}, not at {expected}; look at it again")]
    Moved {
        /// The version that was expected.
        expected: u64,
        /// The version now.
        current: u64,
    },
    /// The catalogue knows no entity of this name.
    #[error("there is no entity called `{kind}`")]
    UnknownKind {
        /// The name.
        kind: String,
    },
    /// A body lacks what a row needs; the caller should have validated it.
    #[error("a body of `{kind}` cannot be stored: {reason}")]
    Malformed {
        /// Plural name of the entity.
        kind: String,
        /// What is wrong.
        reason: String,
    },
    /// The store cannot take the work now; it is worth trying again.
    #[error("the store is not available: {reason}; try again shortly")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The volume is full.
    #[error("the volume of `{place}` is full; free space there, writes then work again")]
    Full {
        /// The database.
        place: String,
    },
    /// The data is damaged.
    #[error(
        "`{place}` is damaged ({detail}); stop the process, keep a copy of the file, and restore \
         the latest backup"
    )]
    Corrupt {
        /// The database.
        place: String,
        /// What the database reported.
        detail: String,
    },
    /// The place holds something else.
    #[error("`{place}` belongs to another program; choose another place")]
    NotAStore {
        /// The database.
        place: String,
    },
    /// It was written by a newer release.
    #[error(
        "`{place}` has schema {found}, this release knows up to {known}; start the newer release, \
         or restore the backup made before the upgrade"
    )]
    Newer {
        /// The database.
        place: String,
        /// The schema found.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// Another process has the store open.
    #[error("`{place}` is in use by another process; stop that one first")]
    Locked {
        /// The database.
        place: String,
    },
    /// A sealed value cannot be opened with the key given.
    #[error("{what} cannot be unsealed; was the sealing key of this installation replaced?")]
    Unsealable {
        /// Which value.
        what: String,
    },
    /// The database reported something else.
    #[error("cannot {action}: {detail}")]
    Storage {
        /// What was being done.
        action: String,
        /// What the database reported.
        detail: String,
    },
}

fn field_names(fields: &Body) -> String {
    fields
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("+")
}

impl fmt::Debug for StoreError {
    // A derived form would print the values of `Unique`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
