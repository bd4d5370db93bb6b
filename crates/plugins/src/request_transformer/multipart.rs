//! Bodies of several parts (`multipart/form-data`).
//!
//! Only the names of parts and whole values are changed; headers of parts that stay are kept as
//! they are.

use bytes::Bytes;

use super::settings::Resolved;

/// One part.
#[derive(Debug)]
struct Part {
    name: Option<Bytes>,
    /// Header lines without the empty one behind them.
    head: Vec<u8>,
    value: Vec<u8>,
}

/// Does what is planned. `None` if the body has no parts that can be told apart.
pub(super) fn transform(body: &[u8], content_type: &[u8], plan: &Resolved<'_>) -> Option<Bytes> {
    let boundary = boundary(content_type)?;
    let mut parts = parse(body, &boundary);
    // Compat: here renaming comes first, and appending does nothing.
    for (old, new) in &plan.plan.rename {
        let named = parts
            .iter_mut()
            .find(|part| part.name.as_ref() == Some(old));
        if let Some(part) = named {
            part.head = head(new);
            part.name = Some(new.clone());
        }
    }
    for name in &plan.plan.remove {
        parts.retain(|part| part.name.as_ref() != Some(name));
    }
    for (name, value) in &plan.replace {
        let named = parts
            .iter_mut()
            .find(|part| part.name.as_ref() == Some(*name));
        if let Some(part) = named {
            part.head = head(name);
            part.value = value.to_vec();
        }
    }
    for (name, value) in &plan.add {
        if !parts.iter().any(|part| part.name.as_ref() == Some(*name)) {
            parts.push(Part {
                name: Some((*name).clone()),
                head: head(name),
                value: value.to_vec(),
            });
        }
    }
    Some(write(&parts, &boundary))
}

fn head(name: &[u8]) -> Vec<u8> {
    let mut head = b"Content-Disposition: form-data; name=\"".to_vec();
    head.extend_from_slice(name);
    head.push(b'"');
    head
}

fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content_type).ok()?;
    let mut parameters = text.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.as_bytes().to_vec())
}

fn parse(body: &[u8], boundary: &[u8]) -> Vec<Part> {
    let mut mark = b"--".to_vec();
    mark.extend_from_slice(boundary);
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = position(rest, &mark) {
        rest = &rest[at + mark.len()..];
        if rest.starts_with(b"--") {
            break;
        }
        let Some(content) = rest.strip_prefix(b"\r\n") else {
            continue;
        };
        let mut end_mark = b"\r\n".to_vec();
        end_mark.extend_from_slice(&mark);
        let end = position(content, &end_mark).unwrap_or(content.len());
        let part = &content[..end];
        let (head, value) = match position(part, b"\r\n\r\n") {
            Some(at) => (&part[..at], &part[at + 4..]),
            None => (part, &[][..]),
        };
        parts.push(Part {
            name: name_of(head),
            head: head.to_vec(),
            value: value.to_vec(),
        });
        rest = &content[end..];
    }
    parts
}

/// The name in `Content-Disposition: form-data; name="…"`.
fn name_of(head: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(head).ok()?;
    let line = text.lines().find(|line| {
        line.to_ascii_lowercase()
            .starts_with("content-disposition:")
    })?;
    line.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        name.eq_ignore_ascii_case("name")
            .then(|| Bytes::copy_from_slice(value.as_bytes()))
    })
}

fn write(parts: &[Part], boundary: &[u8]) -> Bytes {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(b"--");
        out.extend_from_slice(boundary);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&part.head);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&part.value);
        out.extend_from_slice(b"\r\n");
    }
    // Compat: without parts nothing is left, not even the closing line.
    if !parts.is_empty() {
        out.extend_from_slice(b"--");
        out.extend_from_slice(boundary);
        out.extend_from_slice(b"--\r\n");
    }
    Bytes::from(out)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
