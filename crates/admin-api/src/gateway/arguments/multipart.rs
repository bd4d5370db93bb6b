//! `multipart/form-data`: parts with a name, whatever else they say of themselves.

use http::StatusCode;
use memchr::memmem;

use crate::gateway::answer::Reply;
use crate::gateway::fault::Fault;
use crate::gateway::query::{MAX_ARGUMENTS, Pairs};

/// Reads the parts of a body.
pub(in crate::gateway) fn read(content_type: &str, body: &[u8]) -> Result<Pairs, Fault> {
    let Some(boundary) = parameter(content_type, "boundary").filter(|text| !text.is_empty()) else {
        return Err(Reply::page(StatusCode::UNSUPPORTED_MEDIA_TYPE).into());
    };
    let delimiter = format!("--{boundary}");
    let mut pairs = Pairs::new();
    let mut starts = memmem::find_iter(body, delimiter.as_bytes());
    let mut start = starts.next();
    for end in starts {
        let Some(from) = start.replace(end) else {
            break;
        };
        let part = body.get(from + delimiter.len()..end).unwrap_or_default();
        let Some((name, content)) = read_part(part) else {
            continue;
        };
        if pairs.len() == MAX_ARGUMENTS {
            return Err(Fault::bad_request("Too many arguments"));
        }
        pairs.push((name.into_bytes(), Some(content.to_vec())));
    }
    Ok(pairs)
}

/// The name and content of a part; nothing for one without a name.
fn read_part(part: &[u8]) -> Option<(String, &[u8])> {
    let part = part
        .strip_prefix(b"\r\n")
        .or_else(|| part.strip_prefix(b"\n"))?;
    let (head, content) = [b"\r\n\r\n".as_slice(), b"\n\n"]
        .iter()
        .filter_map(|blank| {
            let at = memmem::find(part, blank)?;
            Some((part.get(..at)?, part.get(at + blank.len()..)?))
        })
        .min_by_key(|(head, _)| head.len())?;
    let content = content
        .strip_suffix(b"\r\n")
        .or_else(|| content.strip_suffix(b"\n"))
        .unwrap_or(content);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let disposition = lines.find(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("content-disposition")
    })?;
    Some((parameter(disposition, "name")?.to_owned(), content))
}

/// A parameter of a header value, without its quotes.
fn parameter<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split(';').skip(1).find_map(|part| {
        let (own, value) = part.trim().split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        (own.trim().eq_ignore_ascii_case(name)).then(|| unquoted.unwrap_or(value))
    })
}
