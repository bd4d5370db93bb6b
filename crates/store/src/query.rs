//! How rows are listed: by keyset, never by counting past rows.

use uuid::Uuid;

use crate::Body;

/// Which rows of a kind, and how many at a time.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Rows wanted; 0 means 100, more than 1,000 means 1,000.
    pub size: usize,
    /// Continue after this row (the `next` of the page before).
    pub after: Option<Uuid>,
    /// Leave out this many rows first: for the few lists that page by position.
    pub skip: usize,
    /// Only rows with these tags.
    pub tags: Option<TagFilter>,
    /// Only rows whose foreign field refers to this row, such as `("service", id)`.
    pub parent: Option<(String, Uuid)>,
    /// The order.
    pub order: Order,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Ascending id.
    #[default]
    Id,
    /// The row added last comes first.
    Newest,
}

/// A condition on tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFilter {
    /// Rows that have every one of them.
    All(Vec<String>),
    /// Rows that have at least one of them.
    Any(Vec<String>),
}

/// Some rows, and where to go on.
#[derive(Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Body>,
    /// Id of the last row when there are more.
    pub next: Option<Uuid>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("rows", &self.rows.len())
            .field("next", &self.next)
            .finish()
    }
}

/// One tag of one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRow {
    /// The tag.
    pub tag: String,
    /// Plural name of the entity.
    pub kind: String,
    /// The row.
    pub id: Uuid,
}
