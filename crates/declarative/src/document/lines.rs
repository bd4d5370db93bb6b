//! A tree of line numbers beside a tree of values.

use serde_json::Value;

/// The line of a node and of what is in it, in the order of the value's members or elements.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// From 1; 0 where lines are not kept.
    pub(crate) line: u32,
    pub(crate) kids: Vec<Self>,
}

/// Whether lines are kept beside the values: they take a third of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Lines,
    Values,
}

impl Keep {
    pub(super) fn at(self, line: u32) -> Lines {
        let line = if self == Self::Lines { line } else { 0 };
        Lines {
            line,
            kids: Vec::new(),
        }
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object.
    Member(String),
    /// An element of an array, from 0.
    Element(usize),
}

impl Lines {
    pub(super) fn push(&mut self, kid: Self) {
        if self.line > 0 {
            self.kids.push(kid);
        }
    }

    /// The line of the node that the steps lead to, or of the last one on the way.
    pub(crate) fn find(&self, value: &Value, steps: &[Step]) -> u32 {
        let Some((first, rest)) = steps.split_first() else {
            return self.line;
        };
        let found = match (first, value) {
            (Step::Member(name), Value::Object(members)) => members
                .iter()
                .enumerate()
                .find(|(_, (key, _))| *key == name)
                .map(|(position, (_, value))| (position, value)),
            (Step::Element(position), Value::Array(items)) => {
                items.get(*position).map(|value| (*position, value))
            }
            _ => None,
        };
        match found.and_then(|(at, value)| Some((self.kids.get(at)?, value))) {
            Some((kid, value)) => kid.find(value, rest),
            None => self.line,
        }
    }
}

/// The steps of a path such as `services[0].name`.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let mut found = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let mut pieces = part.split('[');
        if let Some(name) = pieces.next().filter(|name| !name.is_empty()) {
            found.push(Step::Member(name.to_owned()));
        }
        for piece in pieces {
            if let Ok(position) = piece.trim_end_matches(']').parse() {
                found.push(Step::Element(position));
            }
        }
    }
    found
}

/// The path of these steps.
pub(crate) fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Member(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Element(position) => text.push_str(&format!("[{position}]")),
        }
    }
    text
}

/// A count as a line or column number.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
