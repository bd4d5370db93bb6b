//! Names of a form as paths into a document: `config.minute`, `paths[]`, `paths[1]`,
//! `headers[x-a][]`.
//!
//! Values stay texts; what they mean is decided later by the description.

use schema::Map;
use serde_json::Value;

use crate::gateway::query::Pairs;

/// Steps of a name at most; a longer name is taken as it is, which no entity knows.
const MAX_STEPS: usize = 32;

/// One step of a name.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    /// `[]`
    Append,
    /// `[3]`, from 1.
    Position(usize),
}

/// What stands at a place of the document.
#[derive(Debug, Default)]
struct Node {
    values: Vec<Value>,
    members: Vec<(String, Self)>,
    appended: Vec<Self>,
    positions: Vec<(usize, Self)>,
}

/// The document that a form means.
pub(super) fn read(pairs: Pairs) -> Map {
    let mut root = Node::default();
    for (name, value) in pairs {
        let name = String::from_utf8_lossy(&name);
        if name.is_empty() {
            continue;
        }
        let value = match value {
            // Compat: a name alone stands for true.
            None => Value::Bool(true),
            Some(bytes) => Value::String(text(bytes)),
        };
        root.insert(steps(&name), value);
    }
    let members = root.members.into_iter();
    members.map(|(name, node)| (name, node.value())).collect()
}

/// Compat: bytes that are no UTF-8 are kept by the reference; here they become the replacement
/// character, which the rules of names and tags refuse or keep as any other.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn steps(name: &str) -> Vec<Step> {
    let mut found = Vec::new();
    let mut rest = name;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (head, after) = rest.split_at(end);
    if head.is_empty() {
        return vec![Step::Member(name.to_owned())];
    }
    found.push(Step::Member(head.to_owned()));
    rest = after;
    while !rest.is_empty() && found.len() < MAX_STEPS {
        let step = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (member, after) = after.split_at(end);
            Some((member, after, false))
        } else {
            let closed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            closed.map(|(inner, after)| (inner, after, true))
        };
        match step {
            Some(("", after, true)) => {
                found.push(Step::Append);
                rest = after;
            }
            Some((inner, after, is_index)) if !inner.is_empty() => {
                let position = inner.parse().ok().filter(|_| is_index);
                let member = || Step::Member(inner.to_owned());
                found.push(position.map_or_else(member, Step::Position));
                rest = after;
            }
            _ => break,
        }
    }
    if rest.is_empty() {
        found
    } else {
        vec![Step::Member(name.to_owned())]
    }
}

impl Node {
    fn insert(&mut self, steps: Vec<Step>, value: Value) {
        let mut node = self;
        for step in steps {
            node = match step {
                Step::Member(name) => child(&mut node.members, name),
                Step::Position(at) => child(&mut node.positions, at),
                Step::Append => {
                    node.appended.push(Self::default());
                    match node.appended.last_mut() {
                        Some(last) => last,
                        None => return,
                    }
                }
            };
        }
        node.values.push(value);
    }

    fn value(mut self) -> Value {
        if self.members.is_empty() && self.positions.is_empty() {
            let appended = self.appended.into_iter().map(Self::value);
            let is_list = self.values.len() > 1 || appended.len() > 0;
            let mut all = self.values.into_iter().chain(appended);
            return if is_list {
                Value::Array(all.collect())
            } else {
                all.next().unwrap_or(Value::Null)
            };
        }
        self.positions.sort_by_key(|(at, _)| *at);
        let ordinal = self.positions.iter().map(|(at, _)| *at);
        if self.members.is_empty() && ordinal.eq(1..=self.positions.len()) {
            let items = self.positions.into_iter();
            return Value::Array(items.map(|(_, node)| node.value()).collect());
        }
        let positions = self.positions.into_iter();
        let positions = positions.map(|(at, node)| (at.to_string(), node));
        let members = self.members.into_iter().chain(positions);
        Value::Object(members.map(|(name, node)| (name, node.value())).collect())
    }
}

/// The child of a name, made when it is not there. A form has at most 1,000 names.
fn child<K: PartialEq>(children: &mut Vec<(K, Node)>, key: K) -> &mut Node {
    let at = children.iter().position(|(own, _)| *own == key);
    let at = at.unwrap_or_else(|| {
        children.push((key, Node::default()));
        children.len() - 1
    });
    &mut children[at].1
}
