//! The reusable value rules: hosts, paths, names, tags and the like.
//!
//! Each takes the value as it stands in the document and answers with the reference's text.
//! Values of the wrong kind never get here; they count as empty text.

mod address;
mod host;
mod path;
mod text;

use serde_json::Value;

pub use address::{ip, ip_or_cidr};
pub use host::{
    Address, AddressKind, AddressParts, host, host_with_optional_port, host_with_wildcard,
    hostname_no_port, parse_address, sni, wildcard_host,
};
pub use path::{UrlParts, normalise_path, parse_url, path, router_path, url};
pub use text::{cookie_name, header_name, tag, utf8_name};

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
