//! Pages of entities.

use entities::EntityKind;
use schema::Map;
use serde_json::Value;
use store::{ListQuery, TagFilter};
use uuid::Uuid;

use super::error::EntityError;
use super::{Entities, Parent, keys};
use crate::scope::Scope;

/// Rows looked through at a time when a condition has to be tested here.
const SCAN: usize = 1000;

/// Which entities are wanted.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Entities of a page, 1 to 1000.
    pub size: usize,
    /// The last entity of the page before.
    pub after: Option<Uuid>,
    /// Only entities with these tags.
    pub tags: Option<TagFilter>,
    /// Only entities inside this one.
    pub parent: Option<Parent>,
    /// Only entities for which these hold.
    pub conditions: Vec<Condition>,
}

/// A condition on a text member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The member.
    pub field: String,
    /// What is tested.
    pub test: Test,
    /// Against what.
    pub value: String,
}

/// What a [`Condition`] tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The member is the value.
    Equals,
    /// The member contains the value.
    Contains,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The entities.
    pub rows: Vec<Map>,
    /// The last of them when there are more.
    pub next: Option<Uuid>,
}

impl Entities {
    /// A page of entities in ascending order of id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        listing: &Listing,
    ) -> Result<Rows, EntityError> {
        let mut found = if listing.conditions.is_empty() {
            self.page(scope, kind, listing, (listing.size, listing.after))
                .await?
        } else {
            self.filtered(scope, kind, listing).await?
        };
        for row in &mut found.rows {
            self.catalogue().expose(kind.name, row);
        }
        Ok(found)
    }

    async fn filtered(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        listing: &Listing,
    ) -> Result<Rows, EntityError> {
        let mut rows = Vec::new();
        let mut after = listing.after;
        loop {
            let page = self.page(scope, kind, listing, (SCAN, after)).await?;
            for row in page.rows {
                if !listing
                    .conditions
                    .iter()
                    .all(|condition| condition.holds(&row))
                {
                    continue;
                }
                if rows.len() == listing.size {
                    let next = rows.last().and_then(keys::id);
                    return Ok(Rows { rows, next });
                }
                rows.push(row);
            }
            after = page.next;
            if after.is_none() {
                return Ok(Rows { rows, next: None });
            }
        }
    }

    /// A page as it is stored, whatever the conditions.
    pub(super) async fn page(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        listing: &Listing,
        (size, after): (usize, Option<Uuid>),
    ) -> Result<Rows, EntityError> {
        let parent = listing.parent;
        let query = ListQuery {
            size,
            after,
            tags: listing.tags.clone(),
            parent: parent.map(|parent| (parent.field.to_owned(), parent.id)),
            ..ListQuery::default()
        };
        let page = self
            .source()
            .list(scope.control_plane, kind.name, query)
            .await?;
        Ok(Rows {
            rows: page.rows,
            next: page.next,
        })
    }
}

impl Condition {
    fn holds(&self, row: &Map) -> bool {
        let Some(text) = row.get(&self.field).and_then(Value::as_str) else {
            return false;
        };
        match self.test {
            Test::Equals => text == self.value,
            Test::Contains => text.contains(&self.value),
        }
    }
}
