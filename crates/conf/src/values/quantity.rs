//! Sizes and times in the notation of nginx.

use std::time::Duration;

/// `nginx_http_large_client_header_buffers`: a request head fits into `count` pieces of
/// `size_bytes`; one line must fit into one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderBuffers {
    /// Number of pieces.
    pub count: u32,
    /// Bytes of each.
    pub size_bytes: u64,
}

impl Default for HeaderBuffers {
    fn default() -> Self {
        Self {
            count: 4,
            size_bytes: 8192,
        }
    }
}

impl HeaderBuffers {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not of the form <count> <size>, such as `4 8k`");
        let (count, size) = text.split_once(' ').ok_or_else(form)?;
        let count = count.trim().parse().map_err(|_| form())?;
        let size_bytes = parse_size(size.trim()).map_err(|_| form())?;
        if count == 0 || size_bytes == 0 {
            return Err(form());
        }
        Ok(Self { count, size_bytes })
    }
}

/// Reads a size such as `8k`, `10m`, `1g` or `512`, in bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let mistake = || format!("`{text}` is not a size; write bytes, or a number with k, m or g");
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1024),
        Some((at, 'm' | 'M')) => (&text[..at], 1024 * 1024),
        Some((at, 'g' | 'G')) => (&text[..at], 1024 * 1024 * 1024),
        _ => (text, 1_u64),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(mistake());
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit))
        .ok_or_else(mistake)
}

/// Reads a time such as `60`, `60s`, `1m30s`, `1d` or `500ms`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let mistake = || {
        format!("`{text}` is not a time; write seconds, or numbers with ms, s, m, h, d, w, M, y")
    };
    let mut total_ms: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(mistake());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let count: u64 = rest[..digits].parse().map_err(|_| mistake())?;
        let tail = &rest[digits..];
        let unit_length = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let unit_ms = match &tail[..unit_length] {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "M" => 30 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return Err(mistake()),
        };
        let part = count.checked_mul(unit_ms).ok_or_else(mistake)?;
        total_ms = total_ms.checked_add(part).ok_or_else(mistake)?;
        rest = tail[unit_length..].trim_start();
    }
    Ok(Duration::from_millis(total_ms))
}
