//! The questions of a store, answered from tables in memory.
//!
//! Tables have no index: a question walks over its table once. That is enough for people and
//! tools that look at a node; nothing on the data path asks here.

use std::collections::BTreeSet;

use declarative::Config;
use schema::Map;
use serde_json::Value;
use store::{ListQuery, Order, Page, TagFilter, TagRow};
use uuid::Uuid;

/// Rows of a page when nothing is said, and at most; as in the store.
const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1000;

pub(super) fn get(config: &Config, kind: &str, id: Uuid) -> Option<Map> {
    let is_meant = |row: &&Map| row_id(row) == Some(id);
    config.rows(kind).iter().find(is_meant).cloned()
}

pub(super) fn find(config: &Config, kind: &str, field: &str, value: &str) -> Option<Map> {
    let is_meant = |row: &&Map| row.get(field).and_then(Value::as_str) == Some(value);
    config.rows(kind).iter().find(is_meant).cloned()
}

pub(super) fn list(config: &Config, kind: &str, query: &ListQuery) -> Page {
    let size = match query.size {
        0 => DEFAULT_SIZE,
        size => size.min(MAX_SIZE),
    };
    let mut wanted: Vec<(Uuid, &Map)> = config
        .rows(kind)
        .iter()
        .filter(|row| query.tags.as_ref().is_none_or(|tags| has_tags(row, tags)))
        .filter(|row| {
            let parent = query.parent.as_ref();
            parent.is_none_or(|(field, id)| refers(row, field) == Some(*id))
        })
        .filter_map(|row| Some((row_id(row)?, row)))
        .collect();
    match query.order {
        Order::Id => wanted.sort_unstable_by_key(|(id, _)| *id),
        // Rows stand in the order in which the document names them.
        Order::Newest => wanted.reverse(),
    }
    let start = match query.after {
        None => 0,
        Some(after) => match query.order {
            Order::Id => wanted.partition_point(|(id, _)| *id <= after),
            Order::Newest => {
                let found = wanted.iter().position(|(id, _)| *id == after);
                found.map_or(wanted.len(), |position| position + 1)
            }
        },
    };
    let rest = wanted.get(start.saturating_add(query.skip)..);
    let rest = rest.unwrap_or_default();
    let rows = rest.iter().take(size);
    Page {
        rows: rows.map(|(_, row)| (*row).clone()).collect(),
        next: rest
            .get(size - 1)
            .filter(|_| rest.len() > size)
            .map(|(id, _)| *id),
    }
}

pub(super) fn tags(
    config: &Config,
    tag: Option<&str>,
    after: Option<&TagRow>,
    size: usize,
) -> Vec<TagRow> {
    let mut found = BTreeSet::new();
    for (kind, rows) in &config.tables {
        for row in rows {
            let Some(id) = row_id(row) else { continue };
            for text in texts(row.get("tags")) {
                if tag.is_none_or(|tag| tag == text) {
                    let (tag, kind) = (text.to_owned(), kind.clone());
                    found.insert(TagRow { tag, kind, id });
                }
            }
        }
    }
    found
        .into_iter()
        .filter(|row| after.is_none_or(|after| row > after))
        .take(size.min(MAX_SIZE))
        .collect()
}

fn row_id(row: &Map) -> Option<Uuid> {
    Uuid::try_parse(row.get("id")?.as_str()?).ok()
}

fn refers(row: &Map, field: &str) -> Option<Uuid> {
    Uuid::try_parse(row.get(field)?.get("id")?.as_str()?).ok()
}

fn has_tags(row: &Map, filter: &TagFilter) -> bool {
    let has = |tag: &String| texts(row.get("tags")).any(|own| own == tag);
    match filter {
        TagFilter::All(tags) => tags.iter().all(has),
        TagFilter::Any(tags) => tags.iter().any(has),
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}
