//! Our own telemetry: what nodes tell the platform about the requests they served.
//!
//! A node opens `wss://<telemetry endpoint>/v1/telemetry` with the query and certificate of the
//! configuration link and sends [`Batch`]es, each one binary frame in the form of [`packed`]. For
//! senders that are no nodes, gzip of the batch as JSON is accepted too. The platform answers every
//! batch it keeps with an [`Acknowledge`] (binary frame, plain JSON). A node resends what was not
//! acknowledged after it has reconnected; (node, stream, sequence) names a batch, so a batch that
//! arrives twice counts once.
//!
//! The analytics payloads of other gateways are not public and are not read here.

pub mod packed;

use std::net::IpAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::WireError;
use crate::pack::{gzip_json_fast, inflate};

/// Path of the telemetry connection.
pub const PATH: &str = "/v1/telemetry";

/// Most records in one batch.
pub const MAX_RECORDS: usize = 20_000;

/// Largest batch after inflating: 32 MiB.
pub const MAX_INFLATED: usize = 32 * 1024 * 1024;

/// Records of one node, in the order they were taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The node.
    pub node_id: Uuid,
    /// Chosen when the node's process starts; a new stream starts again at sequence 1.
    pub stream: u64,
    /// Number of the batch in its stream, counting from 1.
    pub sequence: u64,
    /// Records lost since the previous batch because a buffer was full.
    #[serde(default)]
    pub dropped: u64,
    /// The requests.
    pub records: Vec<Record>,
}

/// One request a node answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When the first byte of the request was read, in milliseconds since the Unix epoch.
    pub started_at_ms: u64,
    /// The request id, 32 hexadecimal characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Method.
    pub method: String,
    /// Host the client asked for, without port.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Path without query string, which our nodes cut after 128 bytes; absent when not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Status the client received; 0 when the connection ended before one.
    pub status: u16,
    /// Status the upstream gave, if one answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Uuid>,
    /// The route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Uuid>,
    /// The consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<Uuid>,
    /// Times, in microseconds.
    pub latencies: Latencies,
    /// Bytes of the request, head and body.
    #[serde(default)]
    pub request_bytes: u64,
    /// Bytes of the answer, head and body.
    #[serde(default)]
    pub response_bytes: u64,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<IpAddr>,
    /// `host:port` of the upstream that was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who made the answer.
    #[serde(default)]
    pub source: Source,
}

/// Times of one request, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Latencies {
    /// From the first byte of the request to the last byte of the answer.
    pub total_us: u64,
    /// Waiting for the upstream, from sending the request to the head of its answer.
    #[serde(default)]
    pub upstream_us: u64,
    /// The gateway's own part, before the upstream was asked.
    #[serde(default)]
    pub gateway_us: u64,
}

/// Who made the answer a client received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The upstream.
    #[default]
    Upstream,
    /// A plugin, on purpose (such as 401 or 429).
    Plugin,
    /// The gateway, because something failed (such as 502) or nothing matched (404).
    Gateway,
}

/// The platform has kept a batch, and all before it in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The batch's stream.
    pub stream: u64,
    /// The batch's number.
    pub sequence: u64,
}

impl Batch {
    /// Writes the batch as gzip of JSON.
    ///
    /// # Errors
    ///
    /// [`WireError::Encode`].
    pub fn encode(&self) -> Result<Bytes, WireError> {
        gzip_json_fast(self)
    }

    /// Reads a frame's payload, packed or JSON.
    ///
    /// # Errors
    ///
    /// [`WireError`]: damaged or oversized data, or more than [`MAX_RECORDS`] records.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        if payload.first() == Some(&packed::VERSION) {
            return packed::decode(payload);
        }
        let text = inflate(payload, MAX_INFLATED)?;
        let batch: Self =
            serde_json::from_slice(&text).map_err(|error| WireError::Json(error.to_string()))?;
        if batch.records.len() > MAX_RECORDS {
            let text = format!("more than {MAX_RECORDS} records in a batch");
            return Err(WireError::Malformed(text));
        }
        Ok(batch)
    }
}

impl Acknowledge {
    /// Writes the acknowledgement: plain JSON.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let Self { stream, sequence } = self;
        format!("{{\"stream\":{stream},\"sequence\":{sequence}}}").into_bytes()
    }

    /// Reads an acknowledgement.
    ///
    /// # Errors
    ///
    /// [`WireError::Json`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        serde_json::from_slice(payload).map_err(|error| WireError::Json(error.to_string()))
    }
}
