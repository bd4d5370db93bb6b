//! Paths and URLs.

use serde_json::Value;

use super::text_of;
use crate::regex_check::compile_error;

/// Characters that stay percent-encoded in the normal form of a path.
const RESERVED: &[u8] = b"!#$%&'()*+,/:;=?@[]";

/// The path of a request towards an upstream.
///
/// # Errors
///
/// The reference's text.
pub fn path(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%!$&'()*+,;=@:".contains(&byte);
    if !text.bytes().all(allowed) {
        return Err(format!(
            "invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"
        ));
    }
    escapes(text)
}

/// The path of a route: a prefix in normal form, or a regular expression after `~`.
///
/// # Errors
///
/// The reference's text.
pub fn router_path(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    if let Some(pattern) = text.strip_prefix('~') {
        return match compile_error(pattern) {
            None => Ok(()),
            Some(why) => Err(format!("invalid regex: '{pattern}' (PCRE returned: {why})")),
        };
    }
    escapes(text)?;
    let normal = normalise_path(text);
    if normal == text {
        return Ok(());
    }
    Err(format!(
        "non-normalized path, consider use '{normal}' instead"
    ))
}

/// Every `%` must be followed by two hexadecimal digits.
fn escapes(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            at += 1;
            continue;
        }
        let hex = bytes.get(at + 1..at + 3);
        if !hex.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) {
            let shown: String = text[at..].chars().take(3).collect();
            return Err(format!("invalid url-encoded value: '{shown}'"));
        }
        at += 3;
    }
    Ok(())
}

/// The normal form of a path: needless escapes decoded, others in upper case, dot segments
/// resolved, repeated slashes merged. Bytes that are no UTF-8 after decoding stay escaped.
#[must_use]
pub fn normalise_path(text: &str) -> String {
    let decoded = decode(text.as_bytes());
    let decoded = String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned());
    if !decoded.contains("//") && !decoded.contains("/.") {
        return decoded;
    }
    let mut segments: Vec<&str> = Vec::new();
    let trailing = decoded.ends_with('/') || decoded.ends_with("/.") || decoded.ends_with("/..");
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut normal = String::with_capacity(decoded.len());
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    if trailing || segments.is_empty() {
        normal.push('/');
    }
    normal
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        });
        match pair {
            Some(byte) if bytes[at] == b'%' => {
                if RESERVED.contains(&byte) {
                    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                } else {
                    out.push(byte);
                }
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// The parts of a URL as far as entities use them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlParts {
    /// Before the first `:`.
    pub scheme: Option<String>,
    /// Host, without brackets, user and port.
    pub host: Option<String>,
    /// Port as written.
    pub port: Option<String>,
    /// Path without query and fragment.
    pub path: Option<String>,
    /// User and password as written.
    pub userinfo: Option<String>,
    /// Query.
    pub query: Option<String>,
    /// Fragment.
    pub fragment: Option<String>,
}

/// Takes a URL apart, without judging the parts.
#[must_use]
pub fn parse_url(text: &str) -> UrlParts {
    let mut parts = UrlParts::default();
    let mut rest = text;
    if let Some((before, fragment)) = rest.split_once('#') {
        parts.fragment = Some(fragment.to_owned());
        rest = before;
    }
    if let Some((scheme, after)) = rest.split_once(':') {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic())
            && scheme.bytes().all(good)
        {
            parts.scheme = Some(scheme.to_owned());
            rest = after;
        }
    }
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?']).unwrap_or(after.len());
        parts.authority(&after[..end]);
        rest = &after[end..];
    }
    if let Some((before, query)) = rest.split_once('?') {
        parts.query = Some(query.to_owned());
        rest = before;
    }
    if !rest.is_empty() {
        parts.path = Some(rest.to_owned());
    }
    parts
}

impl UrlParts {
    fn authority(&mut self, text: &str) {
        let mut host = text;
        if let Some((user, after)) = host.rsplit_once('@') {
            self.userinfo = Some(user.to_owned());
            host = after;
        }
        if let Some((before, port)) = host.rsplit_once(':')
            && !port.contains(']')
        {
            if !port.is_empty() {
                self.port = Some(port.to_owned());
            }
            host = before;
        }
        if !host.is_empty() {
            let bare = host
                .strip_prefix('[')
                .and_then(|inner| inner.strip_suffix(']'));
            self.host = Some(bare.unwrap_or(host).to_owned());
        }
    }
}

/// A URL with scheme and host.
///
/// # Errors
///
/// The reference's text.
pub fn url(value: &Value) -> Result<(), String> {
    let parts = parse_url(text_of(value));
    if parts.host.is_none() {
        return Err("missing host in url".to_owned());
    }
    if parts.scheme.is_none() {
        return Err("missing scheme in url".to_owned());
    }
    parts
        .path
        .map_or(Ok(()), |path_text| path(&Value::String(path_text)))
}
