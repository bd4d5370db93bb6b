//! The statement of a list.
//!
//! The narrowest condition leads (parent, then a tag), in the order of its key, so that a page
//! costs its own rows and not those before it.

use std::fmt::Write as _;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::numbers::signed;
use crate::model::KindFacts;
use crate::{ListQuery, Order, TagFilter};

pub(super) type Values = Vec<Box<dyn ToSql + Sync + Send>>;

/// Builds the text and its values; the columns are those that `read::decode` reads.
pub(super) fn statement(
    plane: Uuid,
    kind: &KindFacts,
    query: &ListQuery,
    now: u64,
    limit: usize,
) -> (String, Values) {
    let mut list = List {
        text: String::with_capacity(512),
        values: vec![Box::new(plane), Box::new(kind.name), Box::new(signed(now))],
    };
    let mut tags = query.tags.clone();
    list.text
        .push_str("SELECT e.id, e.body, e.sealed, e.expires_at FROM ");
    let key = list.lead(query, &mut tags);
    list.tags(tags);
    list.after(query, key);
    let order = match query.order {
        Order::Id => key,
        Order::Newest => "e.seq DESC",
    };
    list.text
        .push_str(" AND (e.expires_at IS NULL OR e.expires_at > $3) ORDER BY ");
    list.text.push_str(order);
    list.push(" LIMIT ", rows(limit));
    list.push(" OFFSET ", rows(query.skip));
    (list.text, list.values)
}

fn rows(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

struct List {
    text: String,
    values: Values,
}

impl List {
    /// Adds text and the place of a value.
    fn push(&mut self, text: &str, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
        // Writing into a string cannot fail.
        let _ = write!(self.text, "{text}${}", self.values.len());
    }

    /// Chooses the table that leads, and takes from `tags` what it covers. Gives the column of the
    /// id to walk along.
    fn lead(&mut self, query: &ListQuery, tags: &mut Option<TagFilter>) -> &'static str {
        match (&query.parent, tags) {
            (Some((field, parent)), _) => {
                self.join("reference");
                self.push(" AND l.target = ", *parent);
                self.push(" AND l.field = ", field.clone());
                "l.id"
            }
            (None, Some(TagFilter::All(all))) if !all.is_empty() => {
                self.join("tag");
                self.push(" AND l.tag = ", all.pop().map(String::into_bytes));
                "l.id"
            }
            _ => {
                self.text
                    .push_str("entity e WHERE e.control_plane = $1 AND e.kind = $2");
                "e.id"
            }
        }
    }

    fn join(&mut self, table: &str) {
        let _ = write!(
            self.text,
            "{table} l JOIN entity e ON e.control_plane = l.control_plane
             AND e.kind = l.kind AND e.id = l.id WHERE l.control_plane = $1 AND l.kind = $2"
        );
    }

    fn tags(&mut self, tags: Option<TagFilter>) {
        match tags {
            Some(TagFilter::All(all)) => {
                for tag in all {
                    self.push(
                        " AND EXISTS (SELECT 1 FROM tag t WHERE t.control_plane = $1
                         AND t.kind = $2 AND t.id = e.id AND t.tag = ",
                        tag.into_bytes(),
                    );
                    self.text.push(')');
                }
            }
            Some(TagFilter::Any(any)) => {
                let any: Vec<Vec<u8>> = any.into_iter().map(String::into_bytes).collect();
                self.push(
                    " AND EXISTS (SELECT 1 FROM tag t WHERE t.control_plane = $1
                     AND t.kind = $2 AND t.id = e.id AND t.tag = ANY(",
                    any,
                );
                self.text.push_str("))");
            }
            None => {}
        }
    }

    fn after(&mut self, query: &ListQuery, key: &str) {
        let Some(after) = query.after else { return };
        match query.order {
            Order::Id => self.push(&format!(" AND {key} > "), after),
            Order::Newest => {
                self.push(
                    " AND e.seq < (SELECT seq FROM entity WHERE control_plane = $1 AND kind = $2
                     AND id = ",
                    after,
                );
                self.text.push(')');
            }
        }
    }
}
