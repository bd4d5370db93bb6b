//! The request that is asked about, as it is described on the command line.

use std::net::{IpAddr, SocketAddr};

use gateway::explain::Asked;

use crate::cli::Explain;
use crate::failure::Failure;

pub(super) fn read(arguments: &Explain) -> Result<Asked, Failure> {
    let mut headers = Vec::new();
    for header in &arguments.header {
        let Some((name, value)) = header.split_once(':') else {
            let text = format!("`{header}` is no header; write it as `Name: value`");
            return Err(Failure::new(text));
        };
        if name.trim().eq_ignore_ascii_case("host") {
            return Err(Failure::new("the `Host` header is given with `--host`"));
        }
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(Asked {
        is_tls: arguments.tls || arguments.sni.is_some(),
        method: arguments.method.clone(),
        host: arguments.host.clone(),
        target: target(arguments)?.to_owned(),
        headers,
        sni: arguments.sni.clone(),
        source: end("--source", &arguments.source)?,
        destination: end("--destination", &arguments.destination)?,
    })
}

/// The target: behind the file, or in its place where a node is asked.
fn target(arguments: &Explain) -> Result<&str, Failure> {
    let target = match (&arguments.node, &arguments.file, &arguments.path) {
        (Some(_), Some(file), Some(_)) => {
            let text = format!("with `--node` no file is read: leave `{file}` out");
            return Err(Failure::new(text));
        }
        (Some(_), target, None) | (_, _, target) => target.as_deref().unwrap_or("/"),
    };
    if !target.starts_with('/') {
        let text = format!("`{target}` is no path; it begins with `/`");
        return Err(Failure::new(text));
    }
    Ok(target)
}

/// An address, with a port or without.
fn end(option: &str, text: &str) -> Result<(IpAddr, u16), Failure> {
    let with_port = text.parse::<SocketAddr>();
    let whole = with_port.map(|end| (end.ip(), end.port()));
    whole
        .or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, 0)))
        .map_err(|_| {
            let text = format!("`{option} {text}` is no IP address, with `:port` or without");
            Failure::new(text)
        })
}
