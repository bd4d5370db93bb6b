//! Rules of a field.

use serde_json::Value;

use super::Field;
use crate::pattern::Pattern;
use crate::rule::{Rule, Validator};
use crate::validators;

/// Rules. They are kept in the order of evaluation, not in that of these calls.
impl Field {
    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        let at = self
            .rules
            .partition_point(|present| present.rank() <= rule.rank());
        self.rules.insert(at, rule);
        self
    }

    /// Must be this value.
    #[must_use]
    pub fn eq(self, value: impl Into<Value>) -> Self {
        self.rule(Rule::Eq(value.into()))
    }

    /// Must be one of these.
    #[must_use]
    pub fn one_of<T: Into<Value>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.rule(Rule::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Must be one of these, or of `more`, which schema documents and messages do not name.
    #[must_use]
    pub fn one_of_or<T: Into<Value>>(
        self,
        values: impl IntoIterator<Item = T>,
        more: impl IntoIterator<Item = T>,
    ) -> Self {
        let list = |values: &mut dyn Iterator<Item = T>| values.map(Into::into).collect();
        self.rule(Rule::OneOfOr(
            list(&mut values.into_iter()),
            list(&mut more.into_iter()),
        ))
    }

    /// Must be none of these.
    #[must_use]
    pub fn not_one_of<T: Into<Value>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.rule(Rule::NotOneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Must be greater.
    #[must_use]
    pub fn gt(self, limit: impl Into<f64>) -> Self {
        self.rule(Rule::Gt(limit.into()))
    }

    /// Must be a time in seconds.
    #[must_use]
    pub fn timestamp(self) -> Self {
        self.rule(Rule::Timestamp)
    }

    /// Must be a UUID.
    #[must_use]
    pub fn uuid(self) -> Self {
        self.rule(Rule::Uuid)
    }

    /// Must be a regular expression.
    #[must_use]
    pub fn is_regex(self) -> Self {
        self.rule(Rule::IsRegex)
    }

    /// Must lie between these, both included.
    #[must_use]
    pub fn between(self, low: impl Into<f64>, high: impl Into<f64>) -> Self {
        self.rule(Rule::Between(low.into(), high.into()))
    }

    /// Must have this length.
    #[must_use]
    pub fn len_eq(self, length: usize) -> Self {
        self.rule(Rule::LenEq(length))
    }

    /// Must have at least this length; zero lifts the implied least length of texts.
    #[must_use]
    pub fn len_min(self, length: usize) -> Self {
        self.rule(Rule::LenMin(length))
    }

    /// Must have at most this length.
    #[must_use]
    pub fn len_max(self, length: usize) -> Self {
        self.rule(Rule::LenMax(length))
    }

    /// Must start with this text.
    #[must_use]
    pub fn starts_with(self, prefix: &'static str) -> Self {
        self.rule(Rule::StartsWith(prefix))
    }

    /// Must match.
    #[must_use]
    pub fn matches(self, pattern: Pattern) -> Self {
        self.rule(Rule::Match(pattern))
    }

    /// Must match none of these, each with its message.
    #[must_use]
    pub fn match_none(self, list: impl IntoIterator<Item = (Pattern, &'static str)>) -> Self {
        self.rule(Rule::MatchNone(list.into_iter().collect()))
    }

    /// Must match all of these, each with its message.
    #[must_use]
    pub fn match_all(self, list: impl IntoIterator<Item = (Pattern, &'static str)>) -> Self {
        self.rule(Rule::MatchAll(list.into_iter().collect()))
    }

    /// Must match one of these.
    #[must_use]
    pub fn match_any(self, list: impl IntoIterator<Item = Pattern>, message: &'static str) -> Self {
        self.rule(Rule::MatchAny(list.into_iter().collect(), message))
    }

    /// May hold one `*`, at its beginning or its end and beside a dot.
    #[must_use]
    pub fn one_wildcard(self) -> Self {
        let ends = [
            Pattern::new("^%*%.", r"^\*\."),
            Pattern::new("%.%*$", r"\.\*$"),
            Pattern::new("^[^*]*$", "^[^*]*$"),
        ];
        self.match_all([(
            Pattern::new("^[^*]*%*?[^*]*$", r"^[^*]*\*?[^*]*$"),
            "invalid wildcard: must have at most one wildcard",
        )])
        .match_any(
            ends,
            "invalid wildcard: must be placed at leftmost or rightmost label",
        )
    }

    /// Must contain this element.
    #[must_use]
    pub fn contains(self, value: impl Into<Value>) -> Self {
        self.rule(Rule::Contains(value.into()))
    }

    /// Must satisfy code.
    #[must_use]
    pub fn custom(self, name: &'static str, validator: Validator) -> Self {
        self.rule(Rule::Custom(name, validator))
    }

    /// The usual rule of names: letters, digits, `.`, `-`, `_`, `~` and UTF-8.
    #[must_use]
    pub fn utf8_name(self) -> Self {
        self.custom("utf8_name", validators::utf8_name)
    }

    /// Elements may come from one of these sets only.
    #[must_use]
    pub fn exclusive_subsets(self, sets: &[&[&'static str]]) -> Self {
        self.rule(Rule::ExclusiveSubsets(
            sets.iter().map(|set| set.to_vec()).collect(),
        ))
    }
}
