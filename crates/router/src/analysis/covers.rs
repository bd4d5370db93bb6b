//! Whether one entry accepts everything that another one accepts. Says no when in doubt.

use regex_syntax::hir::{Hir, HirKind, Look};

use crate::{
    entry::Entry,
    patterns::{Pattern, Patterns},
    rules::{AddressRule, HeaderRule, HeaderTest, HostRule, SniRule},
};

/// Whether `wide` accepts every request that `narrow` accepts, their paths aside.
pub(super) fn covers(wide: &Entry, narrow: &Entry) -> bool {
    if wide.expression.is_some() || narrow.expression.is_some() {
        let tests = wide.expression.as_ref().zip(narrow.expression.as_ref());
        return tests.is_some_and(|(wide, narrow)| wide.test == narrow.test)
            && schemes(wide, narrow);
    }
    schemes(wide, narrow)
        && wide.methods.covers(&narrow.methods)
        && hosts(&wide.hosts, &narrow.hosts)
        && wide
            .headers
            .iter()
            .all(|rule| header(rule, &narrow.headers))
        && (!narrow.schemes[1] || snis(&wide.snis, &narrow.snis))
        && addresses(&wide.sources, &narrow.sources)
        && addresses(&wide.destinations, &narrow.destinations)
}

/// Whether two entries accept the same requests, their paths aside.
pub(super) fn is_same(one: &Entry, other: &Entry) -> bool {
    covers(one, other)
        && covers(other, one)
        && snis(&one.snis, &other.snis)
        && snis(&other.snis, &one.snis)
}

fn schemes(wide: &Entry, narrow: &Entry) -> bool {
    let both = wide.schemes.iter().zip(narrow.schemes);
    both.into_iter().all(|(wide, narrow)| *wide || !narrow)
}

/// Whether each of the narrow conditions, any of which may hold, is within a wide one.
fn each<T>(wide: &[T], narrow: &[T], is_within: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty()
        || !narrow.is_empty()
            && narrow
                .iter()
                .all(|narrow| wide.iter().any(|wide| is_within(wide, narrow)))
}

fn hosts(wide: &[HostRule], narrow: &[HostRule]) -> bool {
    each(wide, narrow, HostRule::covers)
}

fn snis(wide: &[SniRule], narrow: &[SniRule]) -> bool {
    each(wide, narrow, SniRule::covers)
}

fn addresses(wide: &[AddressRule], narrow: &[AddressRule]) -> bool {
    each(wide, narrow, AddressRule::covers)
}

/// Whether a condition on a header holds whenever all of the others do.
fn header(wide: &HeaderRule, narrow: &[HeaderRule]) -> bool {
    let same_field = narrow.iter().filter(|rule| rule.name == wide.name);
    let implies = |narrow: &HeaderRule| match (&wide.test, &narrow.test) {
        (HeaderTest::OneOf(wide), HeaderTest::OneOf(narrow)) => {
            narrow.iter().all(|value| wide.contains(value))
        }
        (HeaderTest::Pattern(wide), HeaderTest::OneOf(narrow)) => {
            narrow.iter().all(|value| wide.is_match(value))
        }
        (HeaderTest::Pattern(wide), HeaderTest::Pattern(narrow)) => {
            wide.as_str() == narrow.as_str()
        }
        (HeaderTest::OneOf(_), HeaderTest::Pattern(_)) => false,
    };
    same_field.into_iter().any(implies)
}

/// The text for which a pattern is the same as a plain path: it matches whatever begins so.
pub(super) fn open_prefix(pattern: &Pattern) -> Option<Box<[u8]>> {
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
    let hir = parser.parse(&pattern.text).ok()?;
    let HirKind::Concat(parts) = hir.kind() else {
        return None;
    };
    let (first, rest) = parts.split_first()?;
    if !matches!(first.kind(), HirKind::Look(Look::Start)) {
        return None;
    }
    let mut text = Vec::new();
    let mut rest = rest.iter().peekable();
    while let Some(HirKind::Literal(literal)) = rest.peek().map(|part| part.kind()) {
        text.extend_from_slice(&literal.0);
        rest.next();
    }
    // What follows may be missing and looks at nothing: it decides nothing.
    let is_idle = |part: &Hir| {
        let properties = part.properties();
        properties.minimum_len() == Some(0) && properties.look_set().is_empty()
    };
    rest.all(is_idle).then(|| text.into())
}

/// What every path that a pattern matches begins with.
pub(super) fn literal(patterns: &Patterns, number: usize) -> &[u8] {
    patterns
        .list
        .get(number)
        .map_or(&[], |pattern| &pattern.literal)
}
