//! What a control plane's members may look like. Every violation is reported, not only the first.

use std::collections::BTreeMap;

use crate::error::InvalidParameter;
use crate::model::{NewControlPlane, PatchControlPlane, ProxyUrl};

const NAME_LENGTHS: (usize, usize) = (2, 256);
const DESCRIPTION_LENGTH: usize = 2048;
const LABELS: usize = 50;
const LABEL_LENGTH: usize = 63;
const PROXY_URLS: usize = 5;
const PROXY_HOST_LENGTH: usize = 120;
const PROXY_PROTOCOL_LENGTH: usize = 32;
/// Compat: label keys of the reference that users may not take.
const RESERVED_LABEL_PREFIXES: [&str; 5] = ["kong", "konnect", "mesh", "kic", "_"];

/// Everything wrong with a control plane to be made.
pub(crate) fn of_new(new: &NewControlPlane) -> Vec<InvalidParameter> {
    let mut found = Vec::new();
    name(&new.name, &mut found);
    description(&new.description, &mut found);
    labels(&new.labels, &mut found);
    proxy_urls(&new.proxy_urls, &mut found);
    found
}

/// Everything wrong with a change.
pub(crate) fn of_patch(patch: &PatchControlPlane) -> Vec<InvalidParameter> {
    let mut found = Vec::new();
    if let Some(given) = &patch.name {
        name(given, &mut found);
    }
    if let Some(given) = &patch.description {
        description(given, &mut found);
    }
    if let Some(given) = &patch.labels {
        labels(given, &mut found);
    }
    if let Some(given) = &patch.proxy_urls {
        proxy_urls(given, &mut found);
    }
    found
}

fn name(name: &str, found: &mut Vec<InvalidParameter>) {
    length("name", name, NAME_LENGTHS, found);
}

fn description(description: &str, found: &mut Vec<InvalidParameter>) {
    length("description", description, (0, DESCRIPTION_LENGTH), found);
}

fn labels(labels: &BTreeMap<String, String>, found: &mut Vec<InvalidParameter>) {
    if labels.len() > LABELS {
        let reason = format!("must have {LABELS} labels or fewer");
        found.push(InvalidParameter::body("labels", "max_items", reason).maximum(LABELS));
    }
    for (key, value) in labels {
        let field = format!("labels.{key}");
        if let Some(reason) = label_key_fault(key) {
            found.push(InvalidParameter::body(field, "is_label", reason));
        } else if !is_label_value(value) {
            found.push(InvalidParameter::body(
                field,
                "is_label",
                "the value must have 1 to 63 characters out of letters, digits, `-`, `.` and `_`, \
                 and begin and end with a letter or digit",
            ));
        }
    }
}

fn label_key_fault(key: &str) -> Option<String> {
    if key.is_empty() || key.chars().count() > LABEL_LENGTH {
        return Some("the key must have 1 to 63 characters".to_owned());
    }
    RESERVED_LABEL_PREFIXES
        .into_iter()
        .find(|reserved| key.starts_with(reserved))
        .map(|reserved| format!("keys that begin with `{reserved}` are reserved"))
}

fn is_label_value(value: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = value.as_bytes();
    bytes.len() <= LABEL_LENGTH
        && is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte))
}

fn proxy_urls(urls: &[ProxyUrl], found: &mut Vec<InvalidParameter>) {
    if urls.len() > PROXY_URLS {
        let reason = format!("must have {PROXY_URLS} items or fewer");
        found.push(InvalidParameter::body("proxy_urls", "max_items", reason).maximum(PROXY_URLS));
    }
    for (index, url) in urls.iter().enumerate() {
        let field = |member: &str| format!("proxy_urls.{index}.{member}");
        length(&field("host"), &url.host, (1, PROXY_HOST_LENGTH), found);
        length(
            &field("protocol"),
            &url.protocol,
            (1, PROXY_PROTOCOL_LENGTH),
            found,
        );
        if url.port == 0 {
            found
                .push(InvalidParameter::body(field("port"), "min", "must be 1 or more").minimum(1));
        }
    }
}

fn length(
    field: &str,
    text: &str,
    (least, most): (usize, usize),
    found: &mut Vec<InvalidParameter>,
) {
    let count = text.chars().count();
    if count < least {
        let reason = format!("must have {least} characters or more");
        found.push(InvalidParameter::body(field, "min_length", reason).minimum(least));
    } else if count > most {
        let reason = format!("must have {most} characters or fewer");
        found.push(InvalidParameter::body(field, "max_length", reason).maximum(most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_fields(pairs: &[(&str, &str)]) -> Vec<String> {
        let map = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut found = Vec::new();
        labels(&map, &mut found);
        found.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn labels_of_letters_digits_and_inner_punctuation_pass() {
        let long = "a".repeat(63);
        assert!(label_fields(&[("env", "prod-1_a.B"), ("t", "x"), (&long, &long)]).is_empty());
    }

    #[test]
    fn bad_label_keys_and_values_are_all_named() {
        let long = "a".repeat(64);
        let pairs = [
            ("kong-x", "a"),
            ("konnect", "a"),
            ("mesh.y", "a"),
            ("kicker", "a"),
            ("_own", "a"),
            ("empty", ""),
            ("edge", "-a"),
            ("tail", "a."),
            ("space", "a b"),
            ("long", long.as_str()),
            (long.as_str(), "a"),
            ("", "a"),
        ];
        assert_eq!(label_fields(&pairs).len(), pairs.len());
    }

    #[test]
    fn names_of_two_to_256_characters_pass() {
        let faults = |text: &str| {
            let mut found = Vec::new();
            name(text, &mut found);
            found.pop().and_then(|fault| fault.rule)
        };
        assert_eq!(faults("ab"), None);
        assert_eq!(faults(&"ä".repeat(256)), None);
        assert_eq!(faults("a"), Some("min_length"));
        assert_eq!(faults(""), Some("min_length"));
        assert_eq!(faults(&"a".repeat(257)), Some("max_length"));
    }

    #[test]
    fn each_fault_of_a_proxy_url_has_its_index() {
        let bad = ProxyUrl {
            host: String::new(),
            port: 0,
            protocol: "x".repeat(33),
        };
        let mut found = Vec::new();
        proxy_urls(&[bad], &mut found);
        let fields: Vec<_> = found.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "proxy_urls.0.host",
                "proxy_urls.0.protocol",
                "proxy_urls.0.port"
            ]
        );
    }
}
