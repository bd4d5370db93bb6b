//! The wire between nodes and control planes: messages, the configuration hash, compression,
//! down-conversion for older nodes, and the [`socket::Socket`] both ends drive. Who may connect and
//! what a configuration means is decided elsewhere.
//!
//! # Protocol diary
//!
//! What the peers of this protocol were seen to do. A line is added when a new version of the
//! reference changes something; none is removed.
//!
//! | since | what |
//! |---|---|
//! | 2.0 | `/v1/outlet`: node pings carry its 32-character hash, the control plane pushes gzip of JSON |
//! | 3.0.0 | nodes first ask `HEAD /v1/wrpc`; 404 sends them to `/v1/outlet` |
//! | 3.1.0 | nodes speak only `/v1/wrpc`: not supported here |
//! | 3.2.0 | `/v1/outlet` again; `labels` in `basic_info` |
//! | 3.4.0 | `process_conf` and `filters` in `basic_info` |
//! | 3.6.0 | error reports of nodes whose platform asks for them (`konnect_mode`) |
//! | 3.8.0 | an early JSON-RPC handshake in HTTP headers: not supported here |
//! | 3.9.0 | `/v2/outlet` with the `kong.meta.v1` hello; versions of a configuration are integers |
//! | 3.10.0 | versions are text (`v02_…`); nodes with synchronisation v2 switched on use v1 only when the hello succeeds without `kong.sync.v2` |
//! | 2026-11-24 | checked against recorded frames of Kong Gateway 3.9.3: all hashes, down-conversion to 3.0 … 3.9, the order and framing of the link |
//!
//! Oddities kept: in JSON made by the reference an empty list may be `{}` and an empty object
//! `[]`; integers may be written as `80.0`; numbers carry up to 16 digits; `config_hash` and
//! `hashes` of a down-converted configuration stay those of the original.

pub mod downgrade;
pub mod hash;
pub mod limits;
pub mod socket;
pub mod telemetry;
pub mod v1;
pub mod v2;
pub mod version;

mod error;
mod handshake;
mod kept;
mod md5;
mod number;
mod pack;
mod table;

pub use error::WireError;
pub use handshake::{websocket_accept, websocket_key};
pub use hash::EMPTY_HASH;
pub use kept::KeptTable;
pub use md5::{md5, md5_hex};
pub use pack::{gzip_json, inflate, parse_json};
pub use table::PackedTable;
pub use version::Version;
