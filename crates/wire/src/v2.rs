//! The hello of the JSON-RPC protocol (`/v2/outlet`).
//!
//! Nodes that would like incremental synchronisation open this connection first and fall back
//! to protocol v1 only when the hello succeeds without the capability `kong.sync.v2`. So a
//! control plane that speaks v1 has to answer it, with an empty list of capabilities. Calls
//! after the hello are not spoken here.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::WireError;
use crate::pack::parse_json;

/// The WebSocket sub-protocol of this connection.
pub const SUB_PROTOCOL: &str = "kong.meta.v1";

/// The one frame encoding in use: raw Snappy blocks, in spite of its name.
pub const FRAME_ENCODING: &str = "x-snappy-framed";

const HELLO: &str = "kong.meta.v1.hello";

/// A node's hello call.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// The call's id, to be echoed.
    pub id: Value,
    /// What the node can serve.
    pub capabilities: Vec<String>,
    /// Frame encodings the node knows.
    pub frame_encodings: Vec<String>,
    /// The node's version.
    pub version: String,
    /// The node's host name.
    pub hostname: String,
    /// The node's id.
    pub node_id: String,
    /// The node's configuration, abbreviated.
    pub conf: Map<String, Value>,
}

impl Hello {
    /// Reads the first frame, which is plain JSON.
    ///
    /// # Errors
    ///
    /// [`WireError`]: no JSON-RPC call of the hello method, members missing, or a node that does
    /// not know [`FRAME_ENCODING`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut call = parse_json(payload)?;
        if call.get("method").and_then(Value::as_str) != Some(HELLO) {
            return Err(malformed("the first call is not the hello"));
        }
        let id = call.get("id").cloned().unwrap_or(Value::Null);
        let params = call.pointer_mut("/params/0").map(Value::take);
        let Some(Value::Object(mut params)) = params else {
            return Err(malformed("the hello has no parameters"));
        };
        let mut text = |key: &str| match params.remove(key) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(malformed(&format!("`{key}` is not a string"))),
        };
        let version = text("kong_version")?;
        let hostname = text("kong_hostname")?;
        let node_id = text("kong_node_id")?;
        let Some(Value::Object(conf)) = params.remove("kong_conf") else {
            return Err(malformed("`kong_conf` is not an object"));
        };
        let frame_encodings = strings(params.get("rpc_frame_encodings"));
        if !frame_encodings.iter().any(|e| e == FRAME_ENCODING) {
            return Err(malformed("the node does not know the frame encoding"));
        }
        Ok(Self {
            id,
            capabilities: strings(params.get("rpc_capabilities")),
            frame_encodings,
            version,
            hostname,
            node_id,
            conf,
        })
    }

    /// The answer: this control plane serves nothing over JSON-RPC.
    #[must_use]
    pub fn reply(&self) -> HelloReply {
        HelloReply {
            id: self.id.clone(),
            capabilities: Vec::new(),
        }
    }
}

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq)]
pub struct HelloReply {
    /// Id of the call.
    pub id: Value,
    /// What the control plane serves.
    pub capabilities: Vec<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    result: Value,
}

impl HelloReply {
    /// Writes the answer: plain JSON.
    ///
    /// # Errors
    ///
    /// [`WireError::Encode`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let result = json!({
            "rpc_capabilities": self.capabilities,
            "rpc_frame_encoding": FRAME_ENCODING,
        });
        let envelope = Envelope {
            jsonrpc: "2.0",
            id: &self.id,
            result,
        };
        serde_json::to_vec(&envelope).map_err(|error| WireError::Encode(error.to_string()))
    }
}

fn malformed(text: &str) -> WireError {
    WireError::Malformed(text.to_owned())
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
