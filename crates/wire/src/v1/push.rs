//! The configuration a control plane pushes.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::WireError;
use crate::hash::{HASH_LENGTH, Hashes, config_hash};
use crate::pack::{gzip_json, inflate, parse_json};

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

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: f64,
    config_table: &'a Value,
    config_hash: &'a str,
    hashes: &'a Hashes,
}

/// Packs a configuration for nodes: gzip of the envelope. `unix_millis` is when it was made.
/// Call once for a configuration and share the bytes between nodes.
///
/// # Errors
///
/// [`WireError::Encode`].
pub fn encode_reconfigure(
    table: &Value,
    hashes: &Hashes,
    unix_millis: u64,
) -> Result<Bytes, WireError> {
    // Milliseconds stay exact in a double for longer than this protocol will live.
    let millis = u32::try_from(unix_millis % 1000).unwrap_or(0);
    let seconds = u32::try_from(unix_millis / 1000).unwrap_or(u32::MAX);
    gzip_json(&Envelope {
        kind: "reconfigure",
        timestamp: f64::from(seconds) + f64::from(millis) / 1000.0,
        config_table: table,
        config_hash: &hashes.config,
        hashes,
    })
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
