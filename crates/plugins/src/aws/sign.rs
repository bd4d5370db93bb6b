//! Signature Version 4, as AWS publishes it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign as hmac};
use http::Method;

use super::credentials::Credentials;
use crate::outcall::{Url, escape};

/// What is signed.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) body: &'a [u8],
    /// Such as `lambda`.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now_ms: u64,
}

/// Adds the header fields that prove a request; those that are there become part of the proof.
pub(crate) fn sign(
    what: Signed<'_>,
    credentials: &Credentials,
    headers: &mut Vec<(String, String)>,
) {
    let moment: String = clock::rfc3339_millis(what.now_ms)
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    let moment = format!("{}Z", moment.split('.').next().unwrap_or_default());
    let day = moment.get(..8).unwrap_or_default().to_owned();
    let hash = hex(digest(&SHA256, what.body).as_ref());
    headers.push(("X-Amz-Date".to_owned(), moment.clone()));
    headers.push(("X-Amz-Content-Sha256".to_owned(), hash.clone()));
    if let Some(token) = &credentials.token {
        headers.push(("X-Amz-Security-Token".to_owned(), token.clone()));
    }
    let mut lines: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    lines.push(("host".to_owned(), what.url.authority()));
    lines.sort();
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let (path, query) = canonical_target(what);
    let mut canonical = format!("{}\n{path}\n{query}\n", what.method);
    for (name, value) in &lines {
        canonical.push_str(&format!("{name}:{value}\n"));
    }
    canonical.push_str(&format!("\n{names}\n{hash}"));
    let scope = format!("{day}/{}/{}/aws4_request", what.region, what.service);
    let hashed = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{}", credentials.secret).into_bytes();
    for part in [day.as_str(), what.region, what.service, "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &text));
    headers.push((
        "Authorization".to_owned(),
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.id
        ),
    ));
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac(&Key::new(HMAC_SHA256, key), text.as_bytes())
        .as_ref()
        .to_vec()
}

/// Path, encoded a second time, and query, sorted.
fn canonical_target(what: Signed<'_>) -> (String, String) {
    let target = &what.url.target;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.contains('=') {
            true => pair.to_owned(),
            false => format!("{pair}="),
        })
        .collect();
    pairs.sort();
    let path: Vec<_> = path.split('/').map(escape).collect();
    (path.join("/"), pairs.join("&"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
