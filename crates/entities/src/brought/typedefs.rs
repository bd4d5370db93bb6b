//! The usual definitions, as far as they can be told by rules.

use crate::Protocol;
use schema::Field;

use super::fault::SchemaFault;

/// The field that a usual definition describes.
pub(super) fn field(name: &'static str, typedef: &str) -> Result<Field, SchemaFault> {
    Ok(match typedef {
        "host" => Field::host(name),
        "port" => Field::port(name),
        "path" => Field::path(name),
        "url" => Field::url(name),
        "header_name" => Field::header_name(name),
        "sni" => Field::sni(name),
        "timeout" => Field::timeout(name),
        "uuid" => Field::string(name).uuid(),
        "tags" => Field::tags(),
        "http_method" => Field::string(name).matches(super::pattern::pattern("^%u+$")?),
        "methods" => {
            let method = Field::string("").matches(super::pattern::pattern("^%u+$")?);
            Field::set(name, method)
        }
        "ip"
        | "ip_or_cidr"
        | "cidr_v4"
        | "host_with_optional_port"
        | "utf8_name"
        | "key"
        | "certificate"
        | "wildcard_host"
        | "semantic_version"
        | "tag" => Field::string(name),
        "hosts" | "paths" => Field::array(name, Field::string("")),
        other => {
            let reason = format!("`typedefs.{other}` is not known");
            return Err(SchemaFault::whole(reason));
        }
    })
}

/// The protocols that a usual definition of `protocols` allows.
pub(super) fn protocols(typedef: &str) -> Option<Vec<&'static str>> {
    Some(match typedef {
        "protocols_http" => vec!["grpc", "grpcs", "http", "https"],
        "protocols_http_https" => vec!["http", "https"],
        "protocols" => [&Protocol::NAMES[..], &["ws", "wss"]].concat(),
        _ => return None,
    })
}
