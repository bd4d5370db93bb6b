//! Messages of protocol v1 (`/v1/outlet`).
//!
//! A node sends [`BasicInfo`] (plain JSON) and, towards a platform that asks for them,
//! [`ErrorReport`]s (plain JSON). A control plane sends [`Reconfigure`] (gzip of JSON). The
//! acknowledgement is a WebSocket ping whose payload is the node's hash; it is no message here.

mod node;
mod push;
mod shares;

pub use node::{
    BasicInfo, ErrorReport, NodeFrame, PRODUCT, PluginVersion, decode_node_frame, encode_node_frame,
};
pub use push::{PlaneFrame, Reconfigure, decode_reconfigure, encode_reconfigure};
pub use shares::{
    Draw, DrawAnswer, DrawRequest, Grant, MAX_COUNTER_NAME, MAX_DRAWS, decode_draw, decode_drawn,
    encode_draw, encode_drawn,
};
