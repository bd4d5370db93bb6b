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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meaning(form: &str) -> Value {
        let pair = |part: &str| match part.split_once('=') {
            Some((name, value)) => (name.into(), Some(value.into())),
            None => (part.into(), None),
        };
        Value::Object(read(form.split('&').map(pair).collect()))
    }

    #[test]
    fn names_are_paths_into_a_document() {
        for (form, expected) in [
            ("a=1", json!({"a": "1"})),
            ("a", json!({"a": true})),
            ("=1", json!({})),
            ("a=1&a=2", json!({"a": ["1", "2"]})),
            ("a[]=1", json!({"a": ["1"]})),
            ("a[]=1&a[]=2", json!({"a": ["1", "2"]})),
            ("a=1&a[]=2", json!({"a": ["1", "2"]})),
            ("a[2]=y&a[1]=x", json!({"a": ["x", "y"]})),
            ("a[2]=y&a[3]=x", json!({"a": {"2": "y", "3": "x"}})),
            ("a[0]=y", json!({"a": {"0": "y"}})),
            ("a.b=1&a.c=2", json!({"a": {"b": "1", "c": "2"}})),
            ("a[b]=1&a.c=2", json!({"a": {"b": "1", "c": "2"}})),
            ("a.b[]=1&a.b[]=2", json!({"a": {"b": ["1", "2"]}})),
            ("a.b[x-y][]=1", json!({"a": {"b": {"x-y": ["1"]}}})),
            ("a[1].b=1&a[2].b=2", json!({"a": [{"b": "1"}, {"b": "2"}]})),
            ("a[1]=x&a.b=y", json!({"a": {"b": "y", "1": "x"}})),
        ] {
            assert_eq!(meaning(form), expected, "{form}");
        }
    }

    #[test]
    fn names_that_are_no_paths_are_taken_as_they_are() {
        for name in [
            ".", "..", "[", "]", "a[", "a[b", "a]", "a.", "a..b", "a[]x", "a[1]x", "[1]",
        ] {
            assert_eq!(
                meaning(&format!("{name}=1")),
                json!({ name: "1" }),
                "{name}"
            );
        }
        let long = "a".to_owned() + &".a".repeat(MAX_STEPS);
        assert_eq!(meaning(&format!("{long}=1")), json!({ &long: "1" }));
    }
}
