//! The request that is asked about.

use std::net::{IpAddr, SocketAddr};

use router::{HeaderLookup, Query, Scheme};

use crate::cli::Explain;
use crate::failure::Failure;

/// A request as it was described on the command line.
pub(super) struct Request {
    scheme: Scheme,
    method: String,
    host: String,
    /// Without query.
    pub(super) path: String,
    query: String,
    headers: Fields,
    sni: Option<String>,
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
}

struct Fields(Vec<(String, String)>);

impl HeaderLookup for Fields {
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let own = self.0.iter();
        own.filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .any(|(_, value)| visit(value.as_bytes()))
    }
}

impl Request {
    pub(super) fn read(arguments: &Explain) -> Result<Self, Failure> {
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
        let target = &arguments.path;
        if !target.starts_with('/') {
            let text = format!("`{target}` is no path; it begins with `/`");
            return Err(Failure::new(text));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let is_tls = arguments.tls || arguments.sni.is_some();
        Ok(Self {
            scheme: if is_tls { Scheme::Https } else { Scheme::Http },
            method: arguments.method.clone(),
            host: arguments.host.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Fields(headers),
            sni: arguments.sni.clone(),
            source: end("--source", &arguments.source)?,
            destination: end("--destination", &arguments.destination)?,
        })
    }

    /// The question for the router; `path` is in normal form.
    pub(super) fn query<'a>(&'a self, path: &'a [u8]) -> Query<'a> {
        let (host, host_port) = router::split_host(self.host.as_bytes());
        Query {
            scheme: self.scheme,
            method: self.method.as_bytes(),
            host,
            host_port,
            path,
            query: self.query.as_bytes(),
            headers: &self.headers,
            sni: self.sni.as_deref(),
            source: self.source,
            destination: self.destination,
        }
    }
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
