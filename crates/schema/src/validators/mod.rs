//! The reusable value rules: hosts, paths, names, tags and the like.

use serde_json::Value;

macro_rules! pending { ($($name:ident),*) => { $(
    /// Validator of the value type of that name.
    ///
    /// # Errors
    ///
    /// The reference's message.
    pub fn $name(value: &Value) -> Result<(), String> { let _ = value; Ok(()) }
)* } }
pending!(
    host,
    host_with_optional_port,
    wildcard_host,
    sni,
    ip_or_cidr,
    path,
    router_path,
    url,
    header_name,
    cookie_name,
    utf8_name,
    tag,
    hostname_no_port
);
