//! Compression of frames, with a limit on what inflating may produce.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::error::WireError;

/// Serialises `value` as JSON straight into gzip (RFC 1952).
///
/// # Errors
///
/// [`WireError::Encode`] when the value cannot be written as JSON.
pub fn gzip_json<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, WireError> {
    packed_json(value, Compression::default())
}

/// The same with less effort: for what is made often and sent once.
///
/// # Errors
///
/// [`WireError::Encode`].
pub(crate) fn gzip_json_fast<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, WireError> {
    packed_json(value, Compression::fast())
}

fn packed_json<T: Serialize + ?Sized>(value: &T, level: Compression) -> Result<Bytes, WireError> {
    packed(level, |out| Ok(serde_json::to_writer(out, value)?))
}

/// Packs what `write` writes.
///
/// # Errors
///
/// [`WireError::Encode`] when it fails.
pub(crate) fn gzip(
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Bytes, WireError> {
    packed(Compression::default(), write)
}

/// The same with less effort: for what is kept and rarely needed.
///
/// # Errors
///
/// [`WireError::Encode`] when `write` fails.
pub(crate) fn gzip_fast(
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Bytes, WireError> {
    packed(Compression::fast(), write)
}

fn packed(
    level: Compression,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Bytes, WireError> {
    let encode = |error: &dyn std::fmt::Display| WireError::Encode(error.to_string());
    let mut encoder =
        std::io::BufWriter::with_capacity(64 * 1024, GzEncoder::new(Vec::new(), level));
    write(&mut encoder).map_err(|e| encode(&e))?;
    encoder.flush().map_err(|e| encode(&e))?;
    let encoder = encoder.into_inner().map_err(|e| encode(&e))?;
    let packed = encoder.finish().map_err(|e| encode(&e))?;
    Ok(Bytes::from(packed))
}

/// Inflates gzip or zlib data, told apart by the header as real nodes do. Raw deflate is refused.
/// Bytes after the compressed stream are ignored.
///
/// # Errors
///
/// [`WireError::NotCompressed`], [`WireError::Inflate`] for damaged or truncated data,
/// [`WireError::TooLarge`] when more than `max` bytes would come out.
pub fn inflate(data: &[u8], max: usize) -> Result<Vec<u8>, WireError> {
    match data {
        [0x1f, 0x8b, ..] => read_limited(GzDecoder::new(data), max),
        [first, second, ..] if is_zlib(*first, *second) => {
            read_limited(ZlibDecoder::new(data), max)
        }
        _ => Err(WireError::NotCompressed),
    }
}

fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

fn read_limited(decoder: impl Read, max: usize) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    let ceiling = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(ceiling)
        .read_to_end(&mut out)
        .map_err(|error| WireError::Inflate(error.to_string()))?;
    if out.len() > max {
        return Err(WireError::TooLarge { limit: max });
    }
    Ok(out)
}

/// Reads JSON. Bytes that are no UTF-8, which the reference's encoder lets through inside
/// strings, are replaced rather than refused.
///
/// # Errors
///
/// [`WireError::Json`].
pub fn parse_json(data: &[u8]) -> Result<serde_json::Value, WireError> {
    let parsed = match std::str::from_utf8(data) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(data)),
    };
    parsed.map_err(|error| WireError::Json(error.to_string()))
}
