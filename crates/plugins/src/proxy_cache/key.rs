//! The key under which an answer is kept.
//!
//! Compat: the text and its digest are those of the reference, so that tools which compute keys
//! keep working.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use plugin_api::{Exchange, HttpVersion, query_pairs};

use super::schema::Config;

/// The key of a request, as hexadecimal digits.
pub(super) fn key(config: &Config, exchange: &Exchange<'_>) -> String {
    let consumer = exchange.identity.consumer.as_ref();
    let route = exchange.route.map(|route| route.id);
    let mut text = match (consumer, route) {
        (Some(consumer), Some(route)) => format!("{}:{route}", consumer.id),
        (None, Some(route)) => route.to_string(),
        _ => "default".to_owned(),
    }
    .into_bytes();
    text.push(b'|');
    text.extend_from_slice(exchange.method());
    text.push(b'|');
    text.extend(line(config, exchange));
    text.push(b'|');
    text.extend(query(config, exchange));
    text.push(b'|');
    text.extend(headers(config, exchange));
    let mut hex = String::with_capacity(64);
    for byte in digest(&SHA256, &text).as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The request line up to its query, which takes the version with it.
fn line(config: &Config, exchange: &Exchange<'_>) -> Vec<u8> {
    let head = &exchange.head;
    let mut line = head.method().to_vec();
    line.push(b' ');
    line.extend_from_slice(head.path());
    if head.query().is_none() {
        line.extend_from_slice(match head.index.version {
            HttpVersion::Http10 => b" HTTP/1.0",
            HttpVersion::Http11 => b" HTTP/1.1",
            HttpVersion::Http2 => b" HTTP/2.0",
        });
    }
    if config.ignore_uri_case {
        line.make_ascii_lowercase();
    }
    line
}

type Named = (Vec<u8>, Vec<Vec<u8>>);

/// The parameters that tell answers apart, sorted by name.
fn query(config: &Config, exchange: &Exchange<'_>) -> Vec<u8> {
    let mut named: Vec<Named> = Vec::new();
    for (name, value) in query_pairs(exchange.query()) {
        let is_told = config.vary_query_params.is_empty()
            || config
                .vary_query_params
                .iter()
                .any(|told| told.as_bytes() == name.as_ref());
        if !is_told {
            continue;
        }
        let value = value.map_or_else(|| b"true".to_vec(), |value| value.into_owned());
        match named.iter_mut().find(|(known, _)| *known == name.as_ref()) {
            Some((_, values)) => values.push(value),
            None => named.push((name.into_owned(), vec![value])),
        }
    }
    joined(named)
}

/// The headers that tell answers apart, sorted by name.
fn headers(config: &Config, exchange: &Exchange<'_>) -> Vec<u8> {
    let values = |name: &String| {
        let values: Vec<_> = exchange.header_values(name).map(<[u8]>::to_vec).collect();
        (!values.is_empty()).then(|| (name.to_ascii_lowercase().into_bytes(), values))
    };
    joined(config.vary_headers.iter().filter_map(values).collect())
}

fn joined(mut named: Vec<Named>) -> Vec<u8> {
    named.sort();
    let pair = |(name, mut values): Named| {
        values.sort();
        [name, values.join(&b","[..])].join(&b"="[..])
    };
    let pairs: Vec<Vec<u8>> = named.into_iter().map(pair).collect();
    pairs.join(&b":"[..])
}
