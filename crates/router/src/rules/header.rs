//! The condition on one header field.

use regex::bytes::Regex;

use crate::query::HeaderLookup;

/// Longest value that is brought to lower case without an allocation.
const STACK: usize = 256;

/// One entry of a route's `headers`: the field must be there, and one of its values must fit.
#[derive(Debug, Clone)]
pub(crate) struct HeaderRule {
    /// The field's name in lower case.
    pub(crate) name: Box<str>,
    pub(crate) test: HeaderTest,
}

/// What a value of the field is compared with.
#[derive(Debug, Clone)]
pub(crate) enum HeaderTest {
    /// One of these, compared without regard to ASCII case; stored in lower case.
    OneOf(Vec<Box<[u8]>>),
    /// A regular expression on the value in lower case. The pattern is in lower case as well, as in the
    /// reference.
    Pattern(Regex),
}

impl HeaderRule {
    /// Whether a request satisfies the rule.
    pub(crate) fn matches(&self, headers: &dyn HeaderLookup) -> bool {
        match &self.test {
            HeaderTest::OneOf(accepted) => headers.any_value(&self.name, &mut |value| {
                accepted.iter().any(|own| own.eq_ignore_ascii_case(value))
            }),
            HeaderTest::Pattern(pattern) => headers.any_value(&self.name, &mut |value| {
                with_lower_case(value, |text| pattern.is_match(text))
            }),
        }
    }
}

/// Calls `then` with `value` in lower case; allocates only when it is very long.
pub(crate) fn with_lower_case<T>(value: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    let mut stack = [0_u8; STACK];
    if let Some(copy) = stack.get_mut(..value.len()) {
        copy.copy_from_slice(value);
        copy.make_ascii_lowercase();
        return then(copy);
    }
    then(&value.to_ascii_lowercase())
}
