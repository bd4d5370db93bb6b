//! Checks over several members of one record.
//!
//! Paths are dotted (`config.redis.host`) and start at the record that owns the check. A check
//! is skipped when one of its members is already wrong, unless it says otherwise.

use serde_json::Value;

use crate::Map;
use crate::field::Field;
use crate::pattern::Pattern;
use crate::rule::Rule;

/// A check over several members.
#[derive(Clone, Debug)]
pub enum Check {
    /// One of these must be non-empty.
    AtLeastOneOf(Vec<&'static str>),
    /// The same, when a condition holds.
    ConditionalAtLeastOneOf {
        /// The guarding member.
        if_field: &'static str,
        /// Rules that the guard must satisfy.
        if_match: Condition,
        /// One of these must be non-empty then.
        then_any: Vec<&'static str>,
        /// The message; `%s` stands for the list of members. `None` is the usual text.
        then_err: Option<&'static str>,
        /// Otherwise one of these.
        else_any: Vec<&'static str>,
        /// The message of the other branch.
        else_err: Option<&'static str>,
    },
    /// Exactly one of these must be non-empty.
    OnlyOneOf(Vec<&'static str>),
    /// All or none must be set.
    MutuallyRequired(Vec<&'static str>),
    /// At most one may be set.
    MutuallyExclusive(Vec<&'static str>),
    /// Non-empty values must differ.
    Distinct(Vec<&'static str>),
    /// When one member satisfies its condition, another must satisfy its own.
    Conditional {
        /// The guarding member.
        if_field: &'static str,
        /// Rules that the guard must satisfy.
        if_match: Condition,
        /// The other member.
        then_field: &'static str,
        /// Rules that it must satisfy then.
        then_match: Condition,
        /// The message; `None` is the usual text.
        then_err: Option<&'static str>,
    },
    /// Named in schema documents, because the reference has a check in code there; nothing can break
    /// it.
    Announced {
        /// The members that documents name.
        fields: Vec<&'static str>,
        /// Whether documents say that it runs while members are wrong.
        run_with_invalid_fields: bool,
    },
    /// Code.
    Custom(CustomCheck),
}

impl Check {
    /// [`Check::Conditional`] with the usual message.
    #[must_use]
    pub fn conditional(
        if_field: &'static str,
        if_match: Condition,
        then_field: &'static str,
        then_match: Condition,
    ) -> Self {
        Self::Conditional {
            if_field,
            if_match,
            then_field,
            then_match,
            then_err: None,
        }
    }

    /// Replaces the message of a conditional check.
    #[must_use]
    pub fn with_err(self, message: &'static str) -> Self {
        match self {
            Self::Conditional {
                if_field,
                if_match,
                then_field,
                then_match,
                ..
            } => {
                let then_err = Some(message);
                Self::Conditional {
                    if_field,
                    if_match,
                    then_field,
                    then_match,
                    then_err,
                }
            }
            Self::ConditionalAtLeastOneOf {
                if_field,
                if_match,
                then_any,
                else_any,
                else_err,
                ..
            } => Self::ConditionalAtLeastOneOf {
                if_field,
                if_match,
                then_any,
                then_err: Some(message),
                else_any,
                else_err,
            },
            other => other,
        }
    }
}

/// What a member must satisfy inside a conditional check.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Whether it must be there and not null.
    pub required: bool,
    /// Rules of the value.
    pub rules: Vec<Rule>,
    /// Rules that every element of a list must satisfy.
    pub elements: Vec<Rule>,
}

impl Condition {
    /// The member must be there.
    #[must_use]
    pub fn required() -> Self {
        Self {
            required: true,
            ..Self::default()
        }
    }

    /// The value must satisfy this rule; `Rule::Eq(Null)` accepts an absent member.
    #[must_use]
    pub fn rule(rule: Rule) -> Self {
        Self {
            rules: vec![rule],
            ..Self::default()
        }
    }

    /// The value is one of these.
    #[must_use]
    pub fn one_of<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::rule(Rule::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// The value is none of these.
    #[must_use]
    pub fn not_one_of<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::rule(Rule::NotOneOf(values.into_iter().map(Into::into).collect()))
    }

    /// The value is this one.
    #[must_use]
    pub fn eq(value: impl Into<Value>) -> Self {
        Self::rule(Rule::Eq(value.into()))
    }

    /// The text matches.
    #[must_use]
    pub fn matches(pattern: Pattern) -> Self {
        Self::rule(Rule::Match(pattern))
    }

    /// Rules as on a field.
    #[must_use]
    pub fn field(field: Field) -> Self {
        Self {
            required: field.is_required(),
            rules: field.rules,
            elements: Vec::new(),
        }
    }

    /// Every element satisfies this rule.
    #[must_use]
    pub fn elements(rule: Rule) -> Self {
        Self {
            elements: vec![rule],
            ..Self::default()
        }
    }
}

/// A check in code.
#[derive(Clone, Copy, Debug)]
pub struct CustomCheck {
    /// Name, for debug output.
    pub name: &'static str,
    /// The members it looks at; one of them being wrong or absent can keep it from running.
    pub fields: &'static [&'static str],
    /// The members that schema documents name for it; empty keeps it out of them.
    pub published: &'static [&'static str],
    /// Whether it runs while members are absent.
    pub run_with_missing_fields: bool,
    /// Whether it runs while members are wrong.
    pub run_with_invalid_fields: bool,
    /// The code; it sees the whole record.
    pub run: fn(&Map) -> Result<(), Failure>,
}

/// What a check in code has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Messages about the record.
    pub entity: Vec<String>,
    /// Messages about members, by dotted path.
    pub fields: Vec<(String, String)>,
}

impl Failure {
    /// A message about the record.
    #[must_use]
    pub fn entity(message: impl Into<String>) -> Self {
        Self {
            entity: vec![message.into()],
            fields: Vec::new(),
        }
    }

    /// A message about a member.
    #[must_use]
    pub fn field(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            entity: Vec::new(),
            fields: vec![(path.into(), message.into())],
        }
    }
}
