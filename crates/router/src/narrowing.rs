//! Candidates of one node by the value of a header field, for nodes where many entries differ in that alone.

use crate::{
    index::Candidate,
    query::HeaderLookup,
    rules::{HeaderRule, HeaderTest, with_lower_case},
    table::Table,
};

/// Fewest candidates with a header field that make it worth while to look values up.
pub(crate) const MIN_CANDIDATES: usize = 16;

/// The lists of one node.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    /// The fields that the candidates are narrowed down by.
    fields: Vec<Box<str>>,
    /// From field number and value in lower case to a list.
    places: Table,
    /// Candidates by rank. One with several accepted values is in several lists.
    lists: Vec<Vec<Candidate>>,
}

impl Narrowing {
    /// The field and values that an entry with these rules is filed under; `None` when it has none that is
    /// compared with plain values.
    pub(crate) fn rule(headers: &[HeaderRule]) -> Option<(&str, &[Box<[u8]>])> {
        headers.iter().find_map(|rule| match &rule.test {
            HeaderTest::OneOf(values) => Some((&*rule.name, values.as_slice())),
            HeaderTest::Pattern(_) => None,
        })
    }

    /// Files a candidate; they come in order of rank.
    pub(crate) fn add(&mut self, field: &str, values: &[Box<[u8]>], candidate: Candidate) {
        let known = self.fields.iter().position(|own| **own == *field);
        let number = known.unwrap_or(self.fields.len());
        if known.is_none() {
            self.fields.push(field.into());
        }
        for value in values {
            let next = number_of(self.lists.len());
            let list = self.places.insert(number_of(number), value, next);
            if list == next {
                self.lists.push(Vec::new());
            }
            if let Some(list) = self.lists.get_mut(list as usize) {
                list.push(candidate);
            }
        }
    }

    /// Calls `visit` with each list that may hold a match.
    pub(crate) fn visit<'a>(
        &'a self,
        headers: &dyn HeaderLookup,
        visit: &mut dyn FnMut(&'a [Candidate]),
    ) {
        for (number, field) in (0_u32..).zip(&self.fields) {
            headers.any_value(field, &mut |value| {
                let list = with_lower_case(value, |text| self.places.get(number, text));
                if let Some(list) = list.and_then(|list| self.lists.get(list as usize)) {
                    visit(list);
                }
                false
            });
        }
    }
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1)
}
