//! YAML from the parser's events.
//!
//! Aliases copy what they stand for; the copies count against the limit of nodes, so that a
//! small text cannot grow into a large document.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Value};

use super::ParseError;
use super::lines::{Keep, Lines, number};
use super::scalar;
use crate::limits::Limits;

/// A finished node.
#[derive(Clone)]
struct Node {
    value: Value,
    lines: Lines,
    size: usize,
    /// Whether it is an unquoted `<<`, which as a key merges.
    is_merge: bool,
}

impl Node {
    fn new(value: Value, lines: Lines, size: usize) -> Self {
        Self {
            value,
            lines,
            size,
            is_merge: false,
        }
    }
}

/// A collection that is still open.
enum Open {
    List {
        items: Vec<Value>,
        lines: Lines,
        size: usize,
        anchor: usize,
    },
    Table(Table),
}

struct Table {
    members: Map<String, Value>,
    lines: Lines,
    size: usize,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<Key>,
    /// Values of merge keys, in order.
    merged: Vec<Node>,
}

struct Key {
    text: String,
    line: u32,
    column: u32,
    merges: bool,
}

struct Builder {
    limits: Limits,
    keep: Keep,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    opened: HashSet<usize>,
    nodes: usize,
    root: Option<Node>,
}

/// Reads one YAML document. No document at all is a null.
pub(super) fn parse(text: &str, limits: Limits, keep: Keep) -> Result<(Value, Lines), ParseError> {
    refuse_tab(text)?;
    let mut builder = Builder {
        limits,
        keep,
        open: Vec::new(),
        anchors: HashMap::new(),
        opened: HashSet::new(),
        nodes: 0,
        root: None,
    };
    // Compat: like the reference, only the first document of a stream counts.
    let mut documents = 0;
    let end = text.chars().count();
    let mut last = (1, 1);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_error(&error, limits, end, last))?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
        }
        if documents > 1 {
            break;
        }
        last = (number(span.start.line()), number(span.start.col() + 1));
        builder.take(event, &span)?;
    }
    match builder.root {
        Some(node) => Ok((node.value, node.lines)),
        None => Ok((Value::Null, keep.at(1))),
    }
}

/// Compat: a tab where the first token should start is an error; the parser reads over it.
fn refuse_tab(text: &str) -> Result<(), ParseError> {
    let is_text = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = text.lines().enumerate().find(|(_, line)| is_text(line));
    match first {
        Some((position, line)) if line.starts_with('\t') => {
            let message = "found character that cannot start any token";
            Err(ParseError::new(number(position + 1), 1, message))
        }
        _ => Ok(()),
    }
}

/// An error at the end of the text is reported where the last thing that was read began: that
/// is what was left open.
fn scan_error(error: &ScanError, limits: Limits, end: usize, last: (u32, u32)) -> ParseError {
    let mark = error.marker();
    let (line, column) = if mark.index() >= end {
        last
    } else {
        (number(mark.line()), number(mark.col() + 1))
    };
    let info = error.info();
    if info.starts_with("recursion limit") {
        return ParseError::new(line, column, too_deep(limits));
    }
    let message = info
        .strip_prefix("while ")
        .and_then(|rest| rest.split_once(", "))
        .map_or(info, |(_, message)| message);
    ParseError::new(line, column, message)
}

fn too_deep(limits: Limits) -> String {
    format!("the document is nested deeper than {} levels", limits.depth)
}

fn at(span: &Span, message: impl Into<String>) -> ParseError {
    ParseError::new(
        number(span.start.line()),
        number(span.start.col() + 1),
        message,
    )
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), ParseError> {
        let lines = self.keep.at(number(span.start.line()));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(&text, style, tag.as_deref());
                self.count(1, span)?;
                self.finish(
                    Node {
                        is_merge: style == ScalarStyle::Plain && text == "<<",
                        ..Node::new(value, lines, 1)
                    },
                    anchor,
                    span,
                )
            }
            Event::SequenceStart(anchor, _) => {
                self.enter(anchor, span)?;
                self.open.push(Open::List {
                    items: Vec::new(),
                    lines,
                    size: 1,
                    anchor,
                });
                Ok(())
            }
            Event::MappingStart(anchor, _) => {
                self.enter(anchor, span)?;
                self.open.push(Open::Table(Table {
                    members: Map::new(),
                    lines,
                    size: 1,
                    anchor,
                    key: None,
                    merged: Vec::new(),
                }));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), ParseError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.nodes {
            let limit = self.limits.nodes;
            return Err(at(
                span,
                format!("the document has more than {limit} nodes"),
            ));
        }
        Ok(())
    }

    fn enter(&mut self, anchor: usize, span: &Span) -> Result<(), ParseError> {
        self.count(1, span)?;
        if self.open.len() >= self.limits.depth {
            return Err(at(span, too_deep(self.limits)));
        }
        if anchor > 0 {
            self.opened.insert(anchor);
        }
        Ok(())
    }

    fn leave(&mut self, span: &Span) -> Result<(), ParseError> {
        match self.open.pop() {
            Some(Open::List {
                mut items,
                lines,
                size,
                anchor,
            }) => {
                // Most lists are short, and room for four values is more than most entities take.
                items.shrink_to_fit();
                self.finish(Node::new(Value::Array(items), lines, size), anchor, span)
            }
            Some(Open::Table(table)) => {
                let anchor = table.anchor;
                self.finish(table.close(), anchor, span)
            }
            None => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), ParseError> {
        let Some(node) = self.anchors.get(&anchor) else {
            let message = if self.opened.contains(&anchor) {
                "an alias stands inside what it refers to"
            } else {
                "an alias refers to nothing"
            };
            return Err(at(span, message));
        };
        let depth = depth_of(&node.value);
        if self.open.len() + depth > self.limits.depth {
            return Err(at(span, too_deep(self.limits)));
        }
        let size = node.size;
        // Counted before it is copied.
        self.count(size, span)?;
        let node = self.anchors.get(&anchor).cloned();
        node.map_or(Ok(()), |node| self.finish(node, 0, span))
    }

    fn finish(&mut self, node: Node, anchor: usize, span: &Span) -> Result<(), ParseError> {
        if anchor > 0 {
            self.opened.remove(&anchor);
            self.count(node.size, span)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => {
                self.root = Some(node);
                Ok(())
            }
            Some(Open::List {
                items, lines, size, ..
            }) => {
                *size += node.size;
                items.push(node.value);
                lines.push(node.lines);
                Ok(())
            }
            Some(Open::Table(table)) => table.take(node, span),
        }
    }
}

impl Table {
    fn take(&mut self, node: Node, span: &Span) -> Result<(), ParseError> {
        let Some(Key {
            text: key,
            line,
            column,
            merges,
        }) = self.key.take()
        else {
            let merges = node.is_merge;
            let text = match node.value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null => return Err(at(span, "a key is missing")),
                Value::Array(_) | Value::Object(_) => {
                    return Err(at(span, "a key must be a plain value"));
                }
            };
            let (line, column) = (number(span.start.line()), number(span.start.col() + 1));
            self.key = Some(Key {
                text,
                line,
                column,
                merges,
            });
            return Ok(());
        };
        self.size += node.size + 1;
        if merges {
            return self.merge(node, line, column);
        }
        if self.members.contains_key(&key) {
            return Err(ParseError::new(
                line,
                column,
                format!("the key `{key}` is repeated"),
            ));
        }
        let mut lines = node.lines;
        lines.line = line;
        self.members.insert(key, node.value);
        self.lines.push(lines);
        Ok(())
    }

    fn merge(&mut self, node: Node, line: u32, column: u32) -> Result<(), ParseError> {
        let Node { value, lines, .. } = node;
        match value {
            Value::Object(_) => self.merged.push(Node::new(value, lines, 0)),
            Value::Array(items) if items.iter().all(Value::is_object) => {
                let mut kids = lines.kids.into_iter();
                for value in items {
                    let lines = kids.next().unwrap_or_default();
                    self.merged.push(Node::new(value, lines, 0));
                }
            }
            _ => {
                let message = "a merge key needs a mapping or a list of mappings";
                return Err(ParseError::new(line, column, message));
            }
        }
        Ok(())
    }

    /// Own members win over merged ones, earlier merged ones over later.
    fn close(mut self) -> Node {
        for node in self.merged {
            let Value::Object(members) = node.value else {
                continue;
            };
            let mut kids = node.lines.kids.into_iter();
            for (key, value) in members {
                let lines = kids.next().unwrap_or_default();
                if !self.members.contains_key(&key) {
                    self.members.insert(key, value);
                    self.lines.push(lines);
                }
            }
        }
        Node::new(Value::Object(self.members), self.lines, self.size)
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let core = tag
        .filter(|tag| tag.is_yaml_core_schema())
        .map(|tag| tag.suffix.as_str());
    match core {
        Some("str" | "binary") => Value::String(text.to_owned()),
        Some("int" | "float" | "bool" | "null") => scalar::plain(text),
        _ if style == ScalarStyle::Plain => scalar::plain(text),
        _ => Value::String(text.to_owned()),
    }
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}
