//! Bodies made up from a description, for tests of whoever keeps or carries them.
//!
//! What comes out satisfies kinds and rules of members, apart from rules in code that no value at
//! hand satisfies. Checks over several members are not looked at: a test tries until one is
//! accepted. The same seed gives the same body.

use serde_json::{Value, json};

use crate::Map;
use crate::field::{Field, FieldKind, Schema};
use crate::rule::Rule;
use crate::shorthand::Expansion;
use crate::validate::rules_fault;

/// Texts of many sorts; a field takes those that satisfy its rules.
const TEXTS: [&str; 30] = [
    "a",
    "orders",
    "example.test",
    "*.example.test",
    "/",
    "/a/b",
    "~/a/[0-9]+$",
    "GET",
    "POST",
    "10.0.0.1",
    "10.0.0.0/8",
    "fd00::1",
    "X-Header",
    "x_1",
    "name.with-all_of~it",
    "https://example.test:8443/a?b=c",
    "http://example.test",
    "https://example.test/callback",
    "žluťoučký",
    "日本語",
    "a b",
    "a@b.test",
    "a:b",
    "$(uri_captures.name)",
    "00000000-0000-4000-8000-00000000000a",
    "application/json",
    "3.9.3",
    "example.test:8080",
    "0123456789abcdef0123456789abcdef",
    "\u{1f600} \"quoted\" \\ back",
];

/// Numbers of many sorts.
const NUMBERS: [f64; 18] = [
    0.0, 1.0, 2.0, 0.5, 10.0, 60.0, 80.0, 100.0, 200.0, 301.0, 404.0, 443.0, 503.0, 1000.0,
    60000.0, 65535.0, -1.0, 0.001,
];

/// How deep free JSON goes.
const DEPTH: u8 = 3;

/// A maker of bodies.
#[derive(Clone, Debug)]
pub struct Sample {
    state: u64,
}

impl Sample {
    /// A maker whose choices follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// A number below `limit`; zero if that is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        // Xorshift with a multiplication: good enough to choose by, and the same everywhere.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % limit.max(1)
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// A body of this description: what is needed, some of the rest, some nulls, some aliases.
    pub fn body(&mut self, schema: &Schema) -> Map {
        let mut body = Map::new();
        for field in &schema.fields {
            let is_needed = field.is_required() && field.default.is_none() && !field.auto;
            if !is_needed && self.one_in(2) {
                continue;
            }
            let value = if !field.is_required() && self.one_in(8) {
                Value::Null
            } else {
                self.value(field)
            };
            body.insert(field.name.to_owned(), value);
        }
        for shorthand in &schema.shorthands {
            if !self.one_in(6) {
                continue;
            }
            if let Expansion::Into(path) = shorthand.expansion
                && let Some(head) = path.split('.').next()
            {
                body.shift_remove(head);
            }
            let value = self.value(&shorthand.field);
            body.insert(shorthand.field.name.to_owned(), value);
        }
        body
    }

    /// A value of a field.
    pub fn value(&mut self, field: &Field) -> Value {
        if let Some(Rule::Eq(value)) = field.rules.first() {
            return value.clone();
        }
        for rule in &field.rules {
            match rule {
                Rule::OneOf(list) | Rule::OneOfOr(list, _) if !list.is_empty() => {
                    return list[self.below(list.len())].clone();
                }
                Rule::Uuid => {
                    let number = self.below(1 << 30);
                    return Value::String(format!("00000000-0000-4000-8000-{number:012x}"));
                }
                _ => {}
            }
        }
        match &field.kind {
            FieldKind::String => self.text(field),
            FieldKind::Integer => self.number(field, |number| number.fract() == 0.0),
            FieldKind::Number => self.number(field, |_| true),
            FieldKind::Boolean => Value::Bool(self.one_in(2)),
            FieldKind::Array(element) | FieldKind::Set(element) => self.list(field, element),
            FieldKind::Map { keys, values } => self.map(keys, values),
            FieldKind::Record(schema) => Value::Object(self.body(schema)),
            FieldKind::Foreign(_) => {
                let number = self.below(1 << 30);
                json!({"id": format!("00000000-0000-4000-8000-{number:012x}")})
            }
            FieldKind::Abstract => json!({}),
            FieldKind::Json => self.any(DEPTH),
        }
    }

    fn text(&mut self, field: &Field) -> Value {
        let most = field.rules.iter().find_map(|rule| match rule {
            Rule::LenMax(most) => Some(*most),
            _ => None,
        });
        let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
        texts.push("x".repeat(most.unwrap_or(300)));
        if field.referenceable {
            texts.push("{vault://env/secret}".to_owned());
        }
        texts.retain(|text| rules_fault(field, &Value::from(text.as_str())).is_none());
        if texts.is_empty() {
            return Value::from(TEXTS[self.below(TEXTS.len())]);
        }
        Value::String(texts.swap_remove(self.below(texts.len())))
    }

    fn number(&mut self, field: &Field, fits: fn(&f64) -> bool) -> Value {
        let mut numbers: Vec<f64> = NUMBERS.into_iter().filter(fits).collect();
        for rule in &field.rules {
            if let Rule::Between(low, high) = rule {
                numbers.extend([*low, *high].into_iter().filter(|limit| limit.is_finite()));
            }
        }
        let whole = |number: f64| {
            let value = Value::from(number);
            crate::whole_number(&value).map_or(value, Value::from)
        };
        let values: Vec<Value> = numbers
            .into_iter()
            .map(whole)
            .filter(|value| rules_fault(field, value).is_none())
            .collect();
        let at = self.below(values.len());
        values.get(at).cloned().unwrap_or_else(|| json!(1))
    }

    fn list(&mut self, field: &Field, element: &Field) -> Value {
        let exclusive = field.rules.iter().find_map(|rule| match rule {
            Rule::ExclusiveSubsets(sets) => Some(sets.clone()),
            _ => None,
        });
        let least = field.rules.iter().find_map(|rule| match rule {
            Rule::LenMin(least) => Some(*least),
            _ => None,
        });
        if let Some(sets) = exclusive {
            let set = &sets[self.below(sets.len())];
            let count = 1 + self.below(set.len());
            return json!(set[..count.min(set.len())]);
        }
        let count = least.unwrap_or(0) + self.below(4);
        Value::Array((0..count).map(|_| self.value(element)).collect())
    }

    fn map(&mut self, keys: &Field, values: &Field) -> Value {
        let count = self.below(3);
        let mut members = Map::new();
        for _ in 0..count {
            if let Value::String(key) = self.text(keys) {
                let value = self.value(values);
                members.insert(key, value);
            }
        }
        Value::Object(members)
    }

    fn any(&mut self, depth: u8) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::from(NUMBERS[self.below(NUMBERS.len())]),
            3 => Value::from(TEXTS[self.below(TEXTS.len())]),
            4 => Value::Array((0..self.below(3)).map(|_| self.any(depth - 1)).collect()),
            _ => json!({"member": self.any(depth - 1)}),
        }
    }
}
