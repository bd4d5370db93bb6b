//! The path that the upstream receives.

use entities::PathHandling;

/// Writes the upstream's path to `out` (cleared first), escaped for the wire, without query.
///
/// * `service_path` is the path of the service; an empty one counts as `/`.
/// * `request_path` is the normalised request path, which begins with a slash.
/// * `matched` is how many bytes of it the route's path condition covered ([`crate::Match::stripped_len`]).
/// * `handling` must be `V0` unless the flavor is `traditional`
///   ([`crate::Flavor::effective_path_handling`]).
///
/// `Compat:` the reference's table of path handling, recorded with the cases `paths-handling`.
pub fn upstream_path(
    service_path: &str,
    request_path: &[u8],
    matched: usize,
    strip_path: bool,
    handling: PathHandling,
    out: &mut Vec<u8>,
) {
    out.clear();
    let base = if service_path.is_empty() {
        "/"
    } else {
        service_path
    }
    .as_bytes();
    // A route without paths strips the first slash, as the prefix `/` would.
    let stripped = if strip_path { matched.max(1) } else { 1 };
    let rest = request_path.get(stripped..).unwrap_or_default();
    let rest = if strip_path { without_dots(rest) } else { rest };
    let is_base_open = base.ends_with(b"/");
    match (handling, rest.first()) {
        // Nothing is left: the base decides, and a slash at the end of the request is kept. Without
        // stripping that happens for `/` only, which leaves the base as it is.
        (PathHandling::V0, None) => join_nothing(base, request_path, strip_path, out),
        (_, Some(b'/')) if is_base_open => join(base, &rest[1..], out),
        (PathHandling::V0, Some(first)) if !is_base_open && *first != b'/' => {
            escape_into(base, out);
            out.push(b'/');
            escape_into(rest, out);
        }
        _ => join(base, rest, out),
    }
}

fn join(base: &[u8], rest: &[u8], out: &mut Vec<u8>) {
    if base == b"/" {
        out.push(b'/');
    } else {
        escape_into(base, out);
    }
    escape_into(rest, out);
}

/// The path when the route's path covered the whole request path.
fn join_nothing(base: &[u8], request_path: &[u8], strip_path: bool, out: &mut Vec<u8>) {
    let has_slash = request_path.ends_with(b"/");
    match base.strip_suffix(b"/") {
        Some(_) if has_slash || base.len() == 1 => escape_into(base, out),
        Some(closed) => escape_into(closed, out),
        None => {
            escape_into(base, out);
            if strip_path && has_slash && request_path.len() > 1 {
                out.push(b'/');
            }
        }
    }
}

/// Takes away a dot segment that stripping has laid bare: `/a` of `/a../b` leaves `../b`.
fn without_dots(rest: &[u8]) -> &[u8] {
    match rest {
        b"." | b".." => b"",
        [b'.', b'/', tail @ ..] | [b'.', b'.', b'/', tail @ ..] => tail,
        _ => rest,
    }
}

/// Appends `path` with every byte percent-encoded that may not stand in a request target. Escapes that are
/// there stay as they are.
pub fn escape_into(path: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_safe = path
        .iter()
        .fold(true, |is_safe, byte| is_safe & IS_SAFE[usize::from(*byte)]);
    if is_safe {
        out.extend_from_slice(path);
        return;
    }
    let mut rest = path;
    while let Some(at) = rest.iter().position(|byte| !IS_SAFE[usize::from(*byte)]) {
        out.extend_from_slice(&rest[..at]);
        let byte = rest[at];
        out.extend([
            b'%',
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Which bytes may stand in a request target as they are.
static IS_SAFE: [bool; 256] = {
    let mut table = [false; 256];
    let safe =
        b"!#$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~";
    let mut at = 0;
    while at < safe.len() {
        table[safe[at] as usize] = true;
        at += 1;
    }
    table
};
