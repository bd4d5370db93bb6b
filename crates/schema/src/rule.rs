//! The rules of one field and the fixed order in which they are tried.
//!
//! Compat: the first failing rule of a field gives its message; the order is the order of the
//! variants of [`Rule`].

use serde_json::Value;

use crate::pattern::Pattern;
use crate::regex_check;

/// A validator in code: says what is wrong with a value.
pub type Validator = fn(&Value) -> Result<(), String>;

/// One rule of a field. The order of the variants is the order of evaluation.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The value must be this one.
    Eq(Value),
    /// The value must not be this one.
    Ne(Value),
    /// The value must be none of these.
    NotOneOf(Vec<Value>),
    /// The value must be one of these.
    OneOf(Vec<Value>),
    /// The same, and some more that schema documents and messages do not name: values that the
    /// reference's open-source line does not know.
    OneOfOr(Vec<Value>, Vec<Value>),
    /// The number must be greater.
    Gt(f64),
    /// A number of seconds, greater than zero.
    Timestamp,
    /// A UUID of 36 characters, any case.
    Uuid,
    /// The text must be a regular expression.
    IsRegex,
    /// The number must lie between these, both included.
    Between(f64, f64),
    /// Length of a text (bytes) or a list.
    LenEq(usize),
    /// Least length of a text (bytes) or a list.
    LenMin(usize),
    /// Greatest length of a text (bytes) or a list.
    LenMax(usize),
    /// The text must start so.
    StartsWith(&'static str),
    /// The text must not match.
    NotMatch(Pattern),
    /// The text must match none of these; each has its own message.
    MatchNone(Vec<(Pattern, &'static str)>),
    /// The text must match.
    Match(Pattern),
    /// The text must match each of these; each has its own message.
    MatchAll(Vec<(Pattern, &'static str)>),
    /// The text must match one of these.
    MatchAny(Vec<Pattern>, &'static str),
    /// The list must contain this value.
    Contains(Value),
    /// Code; the name is published nowhere but in debug output.
    Custom(&'static str, Validator),
    /// The list may have elements of one of these sets only.
    ExclusiveSubsets(Vec<Vec<&'static str>>),
}

impl Rule {
    /// The place in the order of evaluation.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Eq(_) => 0,
            Self::Ne(_) => 1,
            Self::NotOneOf(_) => 2,
            Self::OneOf(_) | Self::OneOfOr(..) => 3,
            Self::Gt(_) => 4,
            Self::Timestamp => 5,
            Self::Uuid => 6,
            Self::IsRegex => 7,
            Self::Between(..) => 8,
            Self::LenEq(_) => 9,
            Self::LenMin(_) => 10,
            Self::LenMax(_) => 11,
            Self::StartsWith(_) => 12,
            Self::NotMatch(_) => 13,
            Self::MatchNone(_) => 14,
            Self::Match(_) => 15,
            Self::MatchAll(_) => 16,
            Self::MatchAny(..) => 17,
            Self::Contains(_) => 18,
            Self::Custom(..) => 19,
            Self::ExclusiveSubsets(_) => 20,
        }
    }

    /// What the rule has against the value, if anything.
    pub(crate) fn fault(&self, value: &Value) -> Option<String> {
        match self {
            Self::Eq(wanted) => {
                (!same(value, wanted)).then(|| format!("value must be {}", plain(wanted)))
            }
            Self::Ne(unwanted) => {
                same(value, unwanted).then(|| format!("value must not be {}", plain(unwanted)))
            }
            Self::NotOneOf(list) => list
                .iter()
                .any(|item| same(value, item))
                .then(|| format!("must not be one of: {}", joined(list))),
            Self::OneOf(list) => (!list.iter().any(|item| same(value, item)))
                .then(|| format!("expected one of: {}", joined(list))),
            Self::OneOfOr(list, more) => (!list.iter().chain(more).any(|item| same(value, item)))
                .then(|| format!("expected one of: {}", joined(list))),
            Self::Gt(limit) => value
                .as_f64()
                .is_some_and(|number| number <= *limit)
                .then(|| format!("value must be greater than {limit}")),
            Self::Timestamp => value
                .as_f64()
                .is_some_and(|number| number <= 0.0)
                .then(|| "expected a valid timestamp".to_owned()),
            Self::Uuid => value
                .as_str()
                .is_some_and(|text| !is_uuid(text))
                .then(|| "expected a valid UUID".to_owned()),
            Self::IsRegex => value
                .as_str()
                .filter(|text| regex_check::compile_error(text).is_some())
                .map(|text| format!("not a valid regex: {text}")),
            Self::Between(low, high) => value
                .as_f64()
                .is_some_and(|number| number < *low || number > *high)
                .then(|| format!("value should be between {low} and {high}")),
            _ => self.text_fault(value),
        }
    }

    fn text_fault(&self, value: &Value) -> Option<String> {
        let text = value.as_str().unwrap_or_default();
        match self {
            Self::LenEq(length) => {
                (length_of(value) != *length).then(|| format!("length must be {length}"))
            }
            Self::LenMin(length) => {
                (length_of(value) < *length).then(|| format!("length must be at least {length}"))
            }
            Self::LenMax(length) => {
                (length_of(value) > *length).then(|| format!("length must be at most {length}"))
            }
            Self::StartsWith(prefix) => {
                (!text.starts_with(prefix)).then(|| format!("should start with: {prefix}"))
            }
            Self::NotMatch(pattern) => pattern
                .is_match(text)
                .then(|| format!("invalid value: {text}")),
            Self::MatchNone(list) => list
                .iter()
                .find(|(pattern, _)| pattern.is_match(text))
                .map(|(_, message)| (*message).to_owned()),
            Self::Match(pattern) => {
                (!pattern.is_match(text)).then(|| format!("invalid value: {text}"))
            }
            Self::MatchAll(list) => list
                .iter()
                .find(|(pattern, _)| !pattern.is_match(text))
                .map(|(_, message)| (*message).to_owned()),
            Self::MatchAny(list, message) => {
                (!list.iter().any(|pattern| pattern.is_match(text))).then(|| (*message).to_owned())
            }
            Self::Contains(wanted) => value
                .as_array()
                .is_some_and(|items| !items.iter().any(|item| same(item, wanted)))
                .then(|| format!("expected to contain: {}", plain(wanted))),
            Self::Custom(_, validator) => validator(value).err(),
            Self::ExclusiveSubsets(sets) => exclusive_fault(sets, value),
            _ => None,
        }
    }
}

/// Whether two values are one: numbers by value (`80` is `80.0`), everything else literally.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => left == right,
    }
}

/// A value as the reference prints it in a message.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

/// A number without a needless fraction (`80.0` prints as `80`).
pub(crate) fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() && !number.is_u64() => float.to_string(),
        _ => number.to_string(),
    }
}

fn joined(list: &[Value]) -> String {
    list.iter().map(plain).collect::<Vec<_>>().join(", ")
}

fn length_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

/// Whether the text is a UUID of 36 characters.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn exclusive_fault(sets: &[Vec<&'static str>], value: &Value) -> Option<String> {
    let items = value.as_array()?;
    let used: Vec<&Vec<&'static str>> = sets
        .iter()
        .filter(|set| {
            items
                .iter()
                .any(|item| item.as_str().is_some_and(|text| set.contains(&text)))
        })
        .collect();
    if used.len() < 2 {
        return None;
    }
    let names: Vec<String> = used
        .iter()
        .map(|set| {
            let quoted: Vec<String> = set.iter().map(|name| format!("'{name}'")).collect();
            format!("({})", quoted.join(", "))
        })
        .collect();
    Some(format!(
        "these sets are mutually exclusive: {}",
        names.join(", ")
    ))
}
