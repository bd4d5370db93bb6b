//! The values of fields for one request or connection.

use std::net::IpAddr;

use expressions::Field;

use super::query_text;
use crate::{
    entry::request_port,
    query::{Query, Scheme},
    stream::StreamQuery,
};

/// What expressions are asked about.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'q> {
    protocol: &'static str,
    sni: Option<&'q str>,
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    request: Option<&'q Query<'q>>,
}

impl<'q> Facts<'q> {
    pub(crate) fn of_request(query: &'q Query<'q>) -> Self {
        Self {
            protocol: match query.scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            },
            sni: query.sni,
            source: query.source,
            destination: (query.destination.0, request_port(query)),
            request: Some(query),
        }
    }

    pub(crate) fn of_connection(query: &StreamQuery<'q>) -> Self {
        Self {
            protocol: query.protocol.name(),
            sni: query.sni,
            source: query.source,
            destination: query.destination,
            request: None,
        }
    }

    /// Calls `visit` with each value of a field that holds text, until it returns `true`.
    pub(super) fn texts(&self, field: &Field, visit: &mut dyn FnMut(&[u8]) -> bool) {
        let mut one = |value: Option<&[u8]>| {
            if let Some(value) = value {
                visit(value);
            }
        };
        match field {
            Field::Protocol => one(Some(self.protocol.as_bytes())),
            Field::Sni => one(self.sni.map(str::as_bytes)),
            Field::Method => one(self.request.map(|query| query.method)),
            Field::Host => one(self.request.map(|query| query.host)),
            Field::Path => one(self.request.map(|query| query.path)),
            Field::Segments { first, last } => one(self.segments(*first, *last)),
            Field::Header(name) => self.headers(name, visit),
            Field::Query(name) => {
                let text = self.request.map_or(&b""[..], |query| query.query);
                query_text::values(text, name, visit);
            }
            Field::SegmentCount
            | Field::SourceIp
            | Field::SourcePort
            | Field::DestinationIp
            | Field::DestinationPort => {}
        }
    }

    /// The value of a field that holds a number.
    pub(super) fn integer(&self, field: &Field) -> Option<i64> {
        match field {
            Field::SourcePort => Some(self.source.1.into()),
            Field::DestinationPort => Some(self.destination.1.into()),
            Field::SegmentCount => {
                let count = parts(self.request?.path).count();
                i64::try_from(count).ok()
            }
            _ => None,
        }
    }

    /// The value of a field that holds an address.
    pub(super) const fn address(&self, field: &Field) -> Option<IpAddr> {
        match field {
            Field::SourceIp => Some(self.source.0),
            Field::DestinationIp => Some(self.destination.0),
            _ => None,
        }
    }

    /// `Compat:` the field `host` is not among the headers; dashes and underscores are one.
    fn headers(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) {
        let Some(query) = self.request else { return };
        // Names in expressions are lower-case, as the fields are read.
        if name == "host" || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return;
        }
        if !name.contains('_') {
            query.headers.any_value(name, visit);
            return;
        }
        let dashed = name.replace('_', "-");
        if !query.headers.any_value(&dashed, visit) {
            query.headers.any_value(name, visit);
        }
    }

    fn segments(&self, first: usize, last: usize) -> Option<&'q [u8]> {
        let path = self.request?.path;
        let mut places = parts(path).skip(first);
        let (start, mut end) = places.next()?;
        for _ in first..last {
            end = places.next()?.1;
        }
        path.get(start..end)
    }
}

/// Where the segments of a path stand; an empty one at its end is none.
fn parts(path: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = usize::from(path.first() == Some(&b'/'));
    std::iter::from_fn(move || {
        let rest = path.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let length = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        at = start + length + 1;
        Some((start, start + length))
    })
}
