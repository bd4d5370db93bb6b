//! Pages by cursor: positions in a list that is small enough to be read whole.
//!
//! Compat: `page[size]`, `page[after]` and `page[before]`; links are paths with a query, or null.

use serde_json::{Value, json};
use uuid::Uuid;

use super::query;
use crate::error::InvalidParameter;

/// Items of a page at most.
const MAX_PAGE: usize = 1000;

/// A page of a list.
pub(super) struct Page {
    start: usize,
    size: usize,
}

impl Page {
    /// Reads which page of `ids` is wanted.
    pub(super) fn read(
        query: Option<&str>,
        ids: &[Uuid],
        default: usize,
    ) -> Result<Self, Vec<InvalidParameter>> {
        let pairs = query::pairs(query);
        let mut found = Vec::new();
        let size = query::number(&pairs, "page[size]", (1, default, MAX_PAGE), &mut found);
        let mut position = |name: &str| match query::value(&pairs, name) {
            None | Some("") => None,
            Some(text) => {
                let known = Uuid::try_parse(text).ok();
                let position = known.and_then(|known| ids.iter().position(|id| *id == known));
                if position.is_none() {
                    let reason = "must be taken from the links of a page";
                    found.push(InvalidParameter::query(name, "invalid", reason));
                }
                position
            }
        };
        let (after, before) = (position("page[after]"), position("page[before]"));
        let start = match (after, before) {
            (Some(after), _) => after + 1,
            (None, Some(before)) => before.saturating_sub(size),
            (None, None) => 0,
        };
        if found.is_empty() {
            Ok(Self { start, size })
        } else {
            Err(found)
        }
    }

    /// The items of this page.
    pub(super) fn of<'i, T>(&self, items: &'i [T]) -> &'i [T] {
        let start = self.start.min(items.len());
        let end = start.saturating_add(self.size).min(items.len());
        &items[start..end]
    }

    /// What is said about the page, with the links to its neighbours below `path`.
    pub(super) fn links(&self, ids: &[Uuid], path: &str) -> Value {
        let (start, size) = (self.start, self.size);
        let path = format!("{path}?page[size]={size}");
        let link = |position: usize| {
            let before = position.checked_sub(1).and_then(|before| ids.get(before));
            match before {
                Some(before) => format!("{path}&page[after]={before}"),
                None => path.clone(),
            }
        };
        let end = start.saturating_add(size);
        let next = (end < ids.len()).then(|| link(end));
        let previous = (start > 0).then(|| link(start.saturating_sub(size)));
        let last = link(ids.len().saturating_sub(1) / size * size);
        json!({
            "next": next, "previous": previous, "first": link(0), "last": last,
            "size": size, "total": ids.len(),
        })
    }
}
