//! References from one entity to another.

use uuid::Uuid;

/// What deleting the referenced entity does to the one that refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted as well.
    Cascade,
    /// The deletion is refused.
    Restrict,
    /// The reference becomes null.
    SetNull,
}

/// One reference of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The member that holds it.
    pub field: &'static str,
    /// Plural name of the referenced entity.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// What deletion does.
    pub on_delete: OnDelete,
}
