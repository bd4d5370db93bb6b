//! What can go wrong with a control plane's records.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// One thing wrong with a request, as `invalid_parameters` of a problem names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvalidParameter {
    /// Dotted path of the parameter, such as `labels.team` or `proxy_urls.0.port`.
    pub field: String,
    /// The rule's name, such as `required` or `min_length`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// For rules with a lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<u32>,
    /// For rules with an upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u32>,
    /// For the rule `enum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Value>>,
    /// One sentence for a person.
    pub reason: String,
    /// `body`, `query`, `path` or `header`.
    pub source: &'static str,
}

impl InvalidParameter {
    /// A violation of `rule` by the body's member `field`.
    #[must_use]
    pub fn body(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::new(field, rule, reason, "body")
    }

    /// A violation of `rule` by the query parameter `field`.
    #[must_use]
    pub fn query(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::new(field, rule, reason, "query")
    }

    fn new(
        field: impl Into<String>,
        rule: &'static str,
        reason: impl Into<String>,
        source: &'static str,
    ) -> Self {
        Self {
            field: field.into(),
            rule: Some(rule),
            minimum: None,
            maximum: None,
            choices: None,
            reason: reason.into(),
            source,
        }
    }

    /// States the lower bound that was missed.
    #[must_use]
    pub fn minimum(mut self, minimum: usize) -> Self {
        self.minimum = Some(u32::try_from(minimum).unwrap_or(u32::MAX));
        self
    }

    /// States the upper bound that was passed.
    #[must_use]
    pub fn maximum(mut self, maximum: usize) -> Self {
        self.maximum = Some(u32::try_from(maximum).unwrap_or(u32::MAX));
        self
    }

    /// States the values that are allowed.
    #[must_use]
    pub fn choices(mut self, choices: impl IntoIterator<Item = &'static str>) -> Self {
        self.choices = Some(choices.into_iter().map(Value::from).collect());
        self
    }
}

/// Errors of `Planes`.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// Missing, or another organisation's: the two cannot be told apart.
    #[error("no {noun} `{id}`")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// Its id.
        id: Uuid,
    },
    /// The organisation has another control plane of this name.
    #[error("the name `{name}` is taken by another control plane of the organisation")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The request breaks rules; all of them are listed.
    #[error("{} of the request's parameters are invalid", .0.len())]
    Invalid(Vec<InvalidParameter>),
    /// A stored record is not what this release writes.
    #[error("{0}")]
    Damaged(String),
    /// The records could not be read or written.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}
