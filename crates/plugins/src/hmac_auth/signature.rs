//! What requests show, and what is signed.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::{Exchange, HttpVersion};
use regex::bytes::Regex;

/// Compat: the form that the reference looks for anywhere in the value.
static SHOWN: LazyLock<Regex> = LazyLock::new(|| {
    let form =
        r#"\s*[Hh]mac\s*username="(.+)",\s*algorithm="(.+)",\s*headers="(.+)",\s*signature="(.+)""#;
    Regex::new(form).expect("the form is a constant of the program")
});

/// A signature as a request shows it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) username: Vec<u8>,
    pub(super) algorithm: String,
    /// What is signed, in this order.
    pub(super) headers: Vec<String>,
    signature: Vec<u8>,
}

impl Shown {
    /// Reads `hmac username="…", algorithm="…", headers="…", signature="…"`.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let found = SHOWN.captures(value)?;
        let text = |number| {
            let part = found.get(number)?.as_bytes();
            Some(String::from_utf8_lossy(part).into_owned())
        };
        Some(Self {
            username: found.get(1)?.as_bytes().to_vec(),
            algorithm: text(2)?,
            headers: text(3)?.split(' ').map(str::to_owned).collect(),
            signature: found.get(4)?.as_bytes().to_vec(),
        })
    }

    /// Whether the secret made the signature of this request.
    pub(super) fn is_made_with(&self, secret: &[u8], exchange: &Exchange<'_>) -> bool {
        let algorithm = match self.algorithm.as_str() {
            "hmac-sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "hmac-sha256" => hmac::HMAC_SHA256,
            "hmac-sha384" => hmac::HMAC_SHA384,
            "hmac-sha512" => hmac::HMAC_SHA512,
            _ => return false,
        };
        let Ok(signature) = STANDARD.decode(&self.signature) else {
            return false;
        };
        let key = hmac::Key::new(algorithm, secret);
        hmac::verify(&key, &self.signed(exchange), &signature).is_ok()
    }

    /// The text that is signed.
    fn signed(&self, exchange: &Exchange<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        for (at, name) in self.headers.iter().enumerate() {
            if at > 0 {
                text.push(b'\n');
            }
            match exchange.header(name) {
                Some(value) => {
                    text.extend_from_slice(name.as_bytes());
                    text.extend_from_slice(b": ");
                    text.extend_from_slice(value);
                }
                None => computed(name, exchange, &mut text),
            }
        }
        text
    }
}

/// Writes what stands for a header that the request does not have.
fn computed(name: &str, exchange: &Exchange<'_>, text: &mut Vec<u8>) {
    let head = &exchange.head;
    match name {
        "request-line" => {
            text.extend_from_slice(head.method());
            text.push(b' ');
            write_target(exchange, text);
            text.extend_from_slice(match head.index.version {
                HttpVersion::Http10 => b" HTTP/1.0",
                HttpVersion::Http11 => b" HTTP/1.1",
                HttpVersion::Http2 => b" HTTP/2.0",
            });
        }
        "@request-target" => {
            text.extend_from_slice(b"@request-target: ");
            text.extend_from_slice(&head.method().to_ascii_lowercase());
            text.push(b' ');
            write_target(exchange, text);
        }
        name => {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
        }
    }
}

/// Writes path and query as received.
fn write_target(exchange: &Exchange<'_>, text: &mut Vec<u8>) {
    text.extend_from_slice(exchange.head.path());
    if let Some(query) = exchange.head.query() {
        text.push(b'?');
        text.extend_from_slice(query);
    }
}
