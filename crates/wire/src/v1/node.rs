//! What a node says: who it is, and what went wrong with a configuration.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::WireError;
use crate::hash::EMPTY_HASH;
use crate::limits::MAX_NODE_FRAME;
use crate::pack::{inflate, parse_json};

/// The member of `process_conf` by which a node of this program is known; its value is the
/// program's version. Nodes without it get what the open-source reference understands.
pub const PRODUCT: &str = "gatehouse";

/// One plugin a node has loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginVersion {
    /// Name, such as `key-auth`.
    pub name: String,
    /// The handler's version; `None` when the plugin states none.
    pub version: Option<String>,
}

/// The first frame of a node.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BasicInfo {
    /// Every loaded plugin, sorted by lower-case name.
    pub plugins: Vec<PluginVersion>,
    /// The node's effective configuration with secrets replaced; an object.
    pub process_conf: Map<String, Value>,
    /// Labels given to the node; absent on the wire when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// WebAssembly filters the node has loaded, by name.
    pub filters: Map<String, Value>,
}

/// A node's report that it could not apply a configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorReport {
    /// Kind of failure, such as `declarative configuration parse failure`.
    pub name: String,
    /// The part of the node that failed.
    pub source: String,
    /// Text for a person.
    pub message: String,
    /// Hash of the configuration that was refused; zeros when unknown.
    pub config_hash: String,
    /// Numeric code of the failure, where there is one (14 for a refused declaration).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Tree of messages by entity and field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Value>,
    /// One element for each entity that was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flattened_errors: Vec<Value>,
}

impl ErrorReport {
    /// `name` of a configuration that does not pass validation.
    pub const PARSE_FAILURE: &'static str = "declarative configuration parse failure";
    /// `name` of a configuration that is valid but could not be taken into use.
    pub const RELOAD_FAILED: &'static str = "configuration reload failed";
    /// `name` when nothing better is known.
    pub const GENERIC: &'static str = "generic or unknown error";
    /// `message` when nothing better is known.
    pub const DEFAULT_MESSAGE: &'static str = "an unexpected error occurred";
}

/// A frame a node sent.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeFrame {
    /// The first frame.
    BasicInfo(Box<BasicInfo>),
    /// A failure report.
    Error(Box<ErrorReport>),
    /// Something this version does not know; to be ignored.
    Other {
        /// The frame's `type`.
        kind: String,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outgoing<'a> {
    BasicInfo(&'a BasicInfo),
    Error { error: &'a ErrorReport },
}

/// Writes a node's frame: plain JSON, as control planes expect it.
///
/// # Errors
///
/// [`WireError::Encode`]; [`NodeFrame::Other`] cannot be sent.
pub fn encode_node_frame(frame: &NodeFrame) -> Result<Vec<u8>, WireError> {
    let outgoing = match frame {
        NodeFrame::BasicInfo(info) => Outgoing::BasicInfo(info),
        NodeFrame::Error(error) => Outgoing::Error { error },
        NodeFrame::Other { kind } => {
            return Err(WireError::Encode(format!("no message of type `{kind}`")));
        }
    };
    serde_json::to_vec(&outgoing).map_err(|error| WireError::Encode(error.to_string()))
}

/// Reads a frame of a node. Plain JSON is the rule; gzip is taken too. Unknown members are
/// ignored, and an empty list stands for an empty object and the other way round.
///
/// # Errors
///
/// [`WireError`]: no JSON object, no `type`, or `basic_info` without a list of plugins.
pub fn decode_node_frame(payload: &[u8]) -> Result<NodeFrame, WireError> {
    let inflated;
    let text = if payload.starts_with(&[0x1f, 0x8b]) {
        inflated = inflate(payload, MAX_NODE_FRAME)?;
        &inflated[..]
    } else {
        payload
    };
    let Value::Object(mut message) = parse_json(text)? else {
        return Err(malformed("not an object"));
    };
    let kind = match message.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        _ => return Err(malformed("`type` is missing")),
    };
    match kind.as_str() {
        "basic_info" => basic_info(message).map(|i| NodeFrame::BasicInfo(Box::new(i))),
        "error" => {
            let report = error_report(message.remove("error"))?;
            Ok(NodeFrame::Error(Box::new(report)))
        }
        _ => Ok(NodeFrame::Other { kind }),
    }
}

fn malformed(text: &str) -> WireError {
    WireError::Malformed(text.to_owned())
}

fn basic_info(mut message: Map<String, Value>) -> Result<BasicInfo, WireError> {
    let plugins = match message.remove("plugins") {
        Some(Value::Array(items)) => items,
        // The reference takes any collection, and its encoder writes an empty list as `{}`.
        Some(Value::Object(map)) => map.into_iter().map(|(_, plugin)| plugin).collect(),
        _ => return Err(malformed("`plugins` of `basic_info` is not a list")),
    };
    let labels = object(message.remove("labels"));
    Ok(BasicInfo {
        plugins: plugins.iter().filter_map(plugin).collect(),
        process_conf: object(message.remove("process_conf")),
        labels: labels.into_iter().map(|(k, v)| (k, text(v))).collect(),
        filters: object(message.remove("filters")),
    })
}

fn plugin(value: &Value) -> Option<PluginVersion> {
    let name = value.get("name")?.as_str()?.to_owned();
    let version = match value.get("version") {
        Some(Value::String(version)) => Some(version.clone()),
        // Some plugins state a bare number.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    Some(PluginVersion { name, version })
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn error_report(value: Option<Value>) -> Result<ErrorReport, WireError> {
    let Some(Value::Object(mut error)) = value else {
        return Err(malformed("`error` is not an object"));
    };
    let mut take = |key: &str, default: &str| match error.remove(key) {
        Some(Value::String(text)) => text,
        _ => default.to_owned(),
    };
    let name = take("name", ErrorReport::GENERIC);
    let source = take("source", "");
    let message = take("message", ErrorReport::DEFAULT_MESSAGE);
    let config_hash = take("config_hash", EMPTY_HASH);
    Ok(ErrorReport {
        name,
        source,
        message,
        config_hash,
        code: error.get("code").and_then(Value::as_i64),
        fields: error.remove("fields").filter(|fields| !fields.is_null()),
        flattened_errors: match error.remove("flattened_errors") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
    })
}
