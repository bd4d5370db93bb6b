//! Reading the head of an HTTP answer on a connection that becomes something else.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes of a head.
const MAX_HEAD: usize = 16 * 1024;
/// Most bytes of a body that is read for its message.
const MAX_BODY: usize = 4 * 1024;

/// An answer's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    /// What came after the head.
    pub(super) rest: Vec<u8>,
}

impl AnswerHead {
    /// A header's value; names are compared without case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }
}

/// Reads a head, byte for byte enough that nothing after it is lost.
pub(super) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<AnswerHead, String> {
    let mut bytes = Vec::with_capacity(512);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if bytes.len() > MAX_HEAD {
            return Err(format!("its head is larger than {MAX_HEAD} bytes"));
        }
        let read = stream.read_buf(&mut bytes).await;
        if read.map_err(|error| error.to_string())? == 0 {
            return Err("the connection was closed before an answer".to_owned());
        }
    };
    let rest = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let status = status_code(status).ok_or_else(|| format!("`{}` is no HTTP", clip(status)))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Ok(AnswerHead {
        status,
        headers,
        rest,
    })
}

/// Reads the beginning of the body and gives its `message`, if it is JSON with one.
pub(super) async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
    head: &AnswerHead,
) -> Option<String> {
    let length: usize = head.header("content-length")?.parse().ok()?;
    let mut body = head.rest.clone();
    while body.len() < length.min(MAX_BODY) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            break;
        }
    }
    let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
    body.get("message")?.as_str().map(clip)
}

fn status_code(line: &str) -> Option<u16> {
    let rest = line
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?
        .parse()
        .ok()
        .filter(|code| (100..600).contains(code))
}

fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
