//! What a request is hashed by, where its upstream asks for that, and the cookie of sticky sessions.
//!
//! Compat: inputs, their fallback and the cookie are those of the reference.

use balancer::PickState;
use entities::{Algorithm, HashInput, Upstream};
use plugin_api::{Head, query_pairs};

use super::attempt;
use super::client::Client;
use super::core::Pinned;
use super::transaction::Transaction;
use crate::http1::trim;
use crate::snapshot::ServiceEntry;

/// Whether the service's balancer picks by hash.
pub(crate) fn is_needed(pinned: &Pinned, service: &ServiceEntry) -> bool {
    attempt::group(pinned, service).is_some_and(|group| group.needs_hash())
}

/// The names that belong to an input.
struct Names<'a> {
    header: Option<&'a str>,
    query: Option<&'a str>,
    capture: Option<&'a str>,
}

/// Begins the picks of a request; may leave a cookie for the answer.
pub(crate) fn begin<C: Client>(tx: &mut Transaction<'_, C>, upstream: &Upstream) -> PickState {
    if upstream.algorithm == Algorithm::StickySessions {
        return match sticky_name(tx, upstream) {
            Some(name) => PickState::hashed(name),
            None => PickState::new(),
        };
    }
    let first = Names {
        header: upstream.hash_on_header.as_deref(),
        query: upstream.hash_on_query_arg.as_deref(),
        capture: upstream.hash_on_uri_capture.as_deref(),
    };
    let second = Names {
        header: upstream.hash_fallback_header.as_deref(),
        query: upstream.hash_fallback_query_arg.as_deref(),
        capture: upstream.hash_fallback_uri_capture.as_deref(),
    };
    let input = value(tx, upstream, upstream.hash_on, &first)
        .or_else(|| value(tx, upstream, upstream.hash_fallback, &second));
    match input {
        Some(input) => PickState::hashed(balancer::xxhash32(&input)),
        None => PickState::new(),
    }
}

fn value<C: Client>(
    tx: &mut Transaction<'_, C>,
    upstream: &Upstream,
    input: HashInput,
    names: &Names<'_>,
) -> Option<Vec<u8>> {
    let head = tx.work.head.fields.head(&tx.work.bytes);
    let found = match input {
        HashInput::None => None,
        HashInput::Consumer => {
            let identity = &tx.work.plugins.identity;
            let consumer = identity.consumer.as_ref().map(|consumer| consumer.id);
            let id = consumer
                .or_else(|| identity.credential.as_ref().map(|credential| credential.id))?;
            Some(id.to_string().into_bytes())
        }
        HashInput::Ip => {
            let ip = tx.work.real_ip.unwrap_or(tx.connection.client.ip);
            Some(ip.to_string().into_bytes())
        }
        HashInput::Header => header(head, names.header?),
        HashInput::Cookie => return cookie(tx, upstream),
        HashInput::Path => Some(tx.work.path().to_vec()),
        HashInput::QueryArg => argument(head.query()?, names.query?),
        HashInput::UriCapture => capture(tx, names.capture?),
    };
    // Compat: an argument that is there without text counts; other inputs must not be empty.
    found.filter(|value| input == HashInput::QueryArg || !value.is_empty())
}

fn header(head: Head<'_>, name: &str) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> = head.values(name).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

/// All values of an argument in order of their text; one without a value counts as `true`.
fn argument(query: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = query_pairs(query)
        .filter(|(key, _)| key.as_ref() == name.as_bytes())
        .map(|(_, value)| value.map_or_else(|| b"true".to_vec(), |value| value.to_vec()))
        .collect();
    values.sort();
    (!values.is_empty()).then(|| values.join(&b","[..]))
}

fn capture<C: Client>(tx: &Transaction<'_, C>, name: &str) -> Option<Vec<u8>> {
    let router = &tx.pinned.snapshot.router;
    let captures = router.captures(tx.matched.as_ref()?, tx.work.path())?;
    let found = match name.parse::<usize>() {
        Ok(number) => captures.get(number),
        Err(_) => captures.name(name),
    };
    found.map(|text| text.as_bytes().to_vec())
}

/// The value of the upstream's cookie; a client without it gets one.
fn cookie<C: Client>(tx: &mut Transaction<'_, C>, upstream: &Upstream) -> Option<Vec<u8>> {
    let name = upstream.hash_on_cookie.as_deref()?;
    let sent = crumb(tx.work.head.fields.head(&tx.work.bytes), name).map(<[u8]>::to_vec);
    if sent.is_some() {
        return sent;
    }
    let made = clock::new_uuid().to_string();
    let path = &upstream.hash_on_cookie_path;
    tx.work.cookie =
        format!("Set-Cookie: {name}={made}; Path={path}; Same-Site=Lax; HttpOnly\r\n").into_bytes();
    Some(made.into_bytes())
}

/// The value of a cookie in a head.
fn crumb<'h>(head: Head<'h>, name: &str) -> Option<&'h [u8]> {
    head.values("cookie").find_map(|crumbs| {
        crumbs.split(|byte| *byte == b';').find_map(|crumb| {
            let value = trim(crumb).strip_prefix(name.as_bytes())?;
            value.strip_prefix(b"=")
        })
    })
}

/// The address that the client's cookie names. What no balancer wrote names none.
fn sticky_name<C: Client>(tx: &Transaction<'_, C>, upstream: &Upstream) -> Option<u32> {
    let name = upstream.sticky_sessions_cookie.as_deref()?;
    let value = crumb(tx.work.head.fields.head(&tx.work.bytes), name)?;
    if value.len() != NAME_DIGITS {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(value).ok()?, 16).ok()
}

/// The line that makes the client come back to the address of this name; empty when it does already.
pub(crate) fn sticky_cookie(upstream: &Upstream, name: u32, pick: &PickState) -> Vec<u8> {
    match &upstream.sticky_sessions_cookie {
        Some(cookie) if pick.hash() != Some(name) => {
            let path = &upstream.sticky_sessions_cookie_path;
            format!("Set-Cookie: {cookie}={name:08x}; Path={path}; SameSite=Lax; HttpOnly\r\n")
                .into_bytes()
        }
        _ => Vec::new(),
    }
}

/// Digits of the name of an address in a cookie.
const NAME_DIGITS: usize = 8;
