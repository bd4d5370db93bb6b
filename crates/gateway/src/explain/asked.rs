//! The request that is asked about.

use std::net::{IpAddr, SocketAddr};

use router::{HeaderLookup, Query, Scheme};
use serde_json::{Map, Value, json};

/// A request as far as routing is concerned, with all that it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether it comes over TLS.
    pub is_tls: bool,
    /// Its method.
    pub method: String,
    /// The `Host` field, with a port or without.
    pub host: String,
    /// Path and query as they are sent.
    pub target: String,
    /// The other fields, name and value.
    pub headers: Vec<(String, String)>,
    /// The server name of the TLS handshake.
    pub sni: Option<String>,
    /// Address and port of the client.
    pub source: (IpAddr, u16),
    /// Address and port of the listener.
    pub destination: (IpAddr, u16),
}

impl Asked {
    /// Reads the body of `POST /explain`; every member may be left out.
    ///
    /// # Errors
    ///
    /// Says which member is wrong.
    pub fn from_json(body: &[u8]) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| format!("the body is no JSON: {error}"))?;
        let Value::Object(body) = body else {
            return Err("the body is no JSON object".to_owned());
        };
        if let Some(name) = body.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let known = MEMBERS.join("`, `");
            return Err(format!("`{name}` is unknown; there are `{known}`"));
        }
        let text = |name: &str, default: &str| match body.get(name) {
            None => Ok(default.to_owned()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("`{name}` is no text")),
        };
        let sni = body.get("sni").filter(|sni| !sni.is_null());
        let sni = sni.map(|_| text("sni", "")).transpose()?;
        let is_tls = match body.get("tls") {
            None => sni.is_some(),
            Some(Value::Bool(is_tls)) => *is_tls,
            Some(_) => return Err("`tls` is neither true nor false".to_owned()),
        };
        Ok(Self {
            is_tls,
            method: text("method", "GET")?,
            host: text("host", "localhost")?,
            target: text("path", "/")?,
            headers: headers(&body)?,
            sni,
            source: end("source", &text("source", "127.0.0.1")?)?,
            destination: end("destination", &text("destination", "127.0.0.1:8000")?)?,
        })
    }

    /// The body of `POST /explain` that asks for this.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let end = |(ip, port)| SocketAddr::new(ip, port).to_string();
        json!({
            "tls": self.is_tls,
            "method": self.method,
            "host": self.host,
            "path": self.target,
            "headers": self.headers,
            "sni": self.sni,
            "source": end(self.source),
            "destination": end(self.destination),
        })
    }

    /// Path and query.
    pub(super) fn path_and_query(&self) -> (&str, &str) {
        self.target
            .split_once('?')
            .unwrap_or((self.target.as_str(), ""))
    }

    /// The question for the router; `path` is in normal form.
    pub(super) fn query<'a>(&'a self, path: &'a [u8]) -> Query<'a> {
        let (host, host_port) = router::split_host(self.host.as_bytes());
        Query {
            scheme: match self.is_tls {
                true => Scheme::Https,
                false => Scheme::Http,
            },
            method: self.method.as_bytes(),
            host,
            host_port,
            path,
            query: self.path_and_query().1.as_bytes(),
            headers: self,
            sni: self.sni.as_deref(),
            source: self.source,
            destination: self.destination,
        }
    }
}

impl HeaderLookup for Asked {
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let own = self.headers.iter();
        own.filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .any(|(_, value)| visit(value.as_bytes()))
    }
}

/// The members of the body of `POST /explain`.
const MEMBERS: [&str; 8] = [
    "tls",
    "method",
    "host",
    "path",
    "headers",
    "sni",
    "source",
    "destination",
];

/// Fields as a list of pairs of name and value.
fn headers(body: &Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let wrong = || "`headers` is no list of pairs of name and value".to_owned();
    let Some(list) = body.get("headers") else {
        return Ok(Vec::new());
    };
    let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
        Some([Value::String(name), Value::String(value)]) => Some((name.clone(), value.clone())),
        _ => None,
    };
    let list = list.as_array().ok_or_else(wrong)?;
    let pairs: Option<Vec<_>> = list.iter().map(pair).collect();
    pairs.ok_or_else(wrong)
}

/// An address, with a port or without.
fn end(member: &str, text: &str) -> Result<(IpAddr, u16), String> {
    let with_port = text.parse::<SocketAddr>();
    let whole = with_port.map(|end| (end.ip(), end.port()));
    whole
        .or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, 0)))
        .map_err(|_| format!("`{member}` is no IP address, with `:port` or without: `{text}`"))
}
