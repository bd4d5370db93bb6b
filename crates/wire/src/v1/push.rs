//! The configuration a control plane pushes.

use std::io::Write;

use bytes::Bytes;
use schema::Packed;
use serde_json::{Map, Value, json};

use crate::PackedTable;
use crate::downgrade::Rewriter;
use crate::error::WireError;
use crate::hash::{HASH_LENGTH, Hashes, config_hash};
use crate::pack::{gzip, inflate, parse_json};

/// A pushed configuration as a node receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconfigure {
    /// Entity arrays by name, `_format_version` and `_transform`.
    pub config_table: Value,
    /// 32 characters naming this configuration: as sent, or computed when none was sent (or
    /// something that is no hash).
    pub config_hash: String,
    /// Digests of sections, where the control plane sent any.
    pub hashes: Option<Hashes>,
    /// When the control plane made it, in seconds; for logs only.
    pub timestamp: Option<f64>,
}

/// A frame of a control plane.
#[derive(Debug, Clone, PartialEq)]
pub enum PlaneFrame {
    /// A configuration to apply.
    Reconfigure(Box<Reconfigure>),
    /// Something this version does not know; to be ignored.
    Other {
        /// The frame's `type`, empty when there was none.
        kind: String,
    },
}

/// Seconds. Milliseconds stay exact in a double for longer than this protocol will live.
fn timestamp(unix_millis: u64) -> f64 {
    let millis = u32::try_from(unix_millis % 1000).unwrap_or(0);
    let seconds = u32::try_from(unix_millis / 1000).unwrap_or(u32::MAX);
    f64::from(seconds) + f64::from(millis) / 1000.0
}

/// Packs a configuration for nodes: gzip of the envelope. `unix_millis` is when it was made; rows
/// go as `rewriter` makes them, no more than one of them open at a time. Call once for a
/// configuration and the nodes of a form, and share the bytes between them.
///
/// # Errors
///
/// [`WireError::Encode`].
pub fn encode_reconfigure(
    table: &PackedTable,
    hashes: &Hashes,
    unix_millis: u64,
    rewriter: &mut Rewriter,
) -> Result<Bytes, WireError> {
    gzip(|out| {
        let timestamp = serde_json::to_string(&timestamp(unix_millis))?;
        write!(
            out,
            r#"{{"type":"reconfigure","timestamp":{timestamp},"config_table":{{"#
        )?;
        let mut separator = "";
        for (name, value) in &table.members {
            write!(out, "{separator}{}:", json!(name))?;
            serde_json::to_writer(&mut *out, value)?;
            separator = ",";
        }
        for (name, rows) in &table.tables {
            write_rows(out, separator, (name, rows), rewriter)?.then(|| separator = ",");
        }
        let config = json!(hashes.config);
        write!(out, r#"}},"config_hash":{config},"hashes":"#)?;
        serde_json::to_writer(&mut *out, hashes)?;
        out.write_all(b"}")
    })
}

/// Writes a table, unless nothing of it is left.
fn write_rows(
    out: &mut dyn Write,
    separator: &str,
    (name, rows): (&str, &[Packed]),
    rewriter: &mut Rewriter,
) -> std::io::Result<bool> {
    let mut count = 0_usize;
    for row in rows {
        let rewritten = if rewriter.is_idle() {
            None
        } else {
            let Some(row) = rewriter.row(name, row.open()) else {
                continue;
            };
            Some(Packed::of(&row))
        };
        if count == 0 {
            write!(out, "{separator}{}:[", json!(name))?;
        } else {
            out.write_all(b",")?;
        }
        out.write_all(rewritten.as_ref().unwrap_or(row).text().as_bytes())?;
        count += 1;
    }
    if count > 0 {
        out.write_all(b"]")?;
    }
    Ok(count > 0)
}

/// Reads a frame of a control plane: gzip or zlib, of at most `max_inflated` bytes of JSON.
///
/// # Errors
///
/// [`WireError`]: damaged or oversized data, no JSON object, a `reconfigure` without a
/// configuration table.
pub fn decode_reconfigure(payload: &[u8], max_inflated: usize) -> Result<PlaneFrame, WireError> {
    let Value::Object(mut message) = parse_json(&inflate(payload, max_inflated)?)? else {
        return Err(WireError::Malformed("not an object".to_owned()));
    };
    match message.get("type").and_then(Value::as_str) {
        Some("reconfigure") => {}
        other => {
            let kind = other.unwrap_or_default().to_owned();
            return Ok(PlaneFrame::Other { kind });
        }
    }
    let config_table = match message.remove("config_table") {
        Some(table @ Value::Object(_)) => table,
        Some(Value::Array(items)) if items.is_empty() => Value::Object(Map::new()),
        _ => {
            let text = "`config_table` is missing or not an object";
            return Err(WireError::Malformed(text.to_owned()));
        }
    };
    let config_hash = match message.get("config_hash").and_then(Value::as_str) {
        Some(hash) if is_hash(hash) => hash.to_owned(),
        _ => config_hash(&config_table).config,
    };
    let hashes = message.remove("hashes").filter(Value::is_object);
    Ok(PlaneFrame::Reconfigure(Box::new(Reconfigure {
        config_table,
        config_hash,
        hashes: hashes.and_then(|hashes| serde_json::from_value(hashes).ok()),
        timestamp: message.get("timestamp").and_then(Value::as_f64),
    })))
}

/// Whether text can stand where a hash is expected: 32 visible ASCII characters. The digits
/// need not be hexadecimal; other control planes use other digests.
fn is_hash(text: &str) -> bool {
    text.len() == HASH_LENGTH && text.bytes().all(|b| b.is_ascii_graphic())
}
