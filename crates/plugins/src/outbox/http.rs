//! An HTTP endpoint that takes records: one request for each delivery, on a connection that is kept.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::BuildError;

use super::connection::{Connection, Duplex, Target};

/// Largest head of an answer, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// Largest body of an answer that is read so that its connection can be used again, in bytes.
const BODY_MAX: u64 = 64 * 1024;

/// What an endpoint is told by a configuration.
#[derive(Clone, Debug)]
pub(crate) struct EndpointSettings<'a> {
    /// The field of the configuration that names the URL.
    pub(crate) field: &'static str,
    /// The URL.
    pub(crate) url: &'a str,
    /// Method of the requests.
    pub(crate) method: &'a str,
    /// Content type of the requests.
    pub(crate) content_type: &'a str,
    /// Header lines sent along.
    pub(crate) headers: &'a [(String, String)],
    /// To connect, to send and to receive.
    pub(crate) timeout: Duration,
    /// How long an idle connection is kept.
    pub(crate) keepalive: Duration,
}

/// An endpoint with its connection.
pub(crate) struct Endpoint {
    connection: Connection,
    /// Request line and headers, but for the length.
    head: String,
    url: String,
}

impl Endpoint {
    /// Prepares the endpoint of a configuration.
    ///
    /// # Errors
    ///
    /// [`BuildError::Config`] for a URL that cannot be used.
    pub(crate) fn prepare(config: &EndpointSettings<'_>) -> Result<Self, BuildError> {
        let refused = |reason: &str| BuildError::Config {
            field: config.field.to_owned(),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = config
            .url
            .split_once("://")
            .ok_or_else(|| refused("give a URL with a scheme"))?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(refused("give a URL that begins with http:// or https://")),
        };
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(at);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place).ok_or_else(|| refused("its port is no number"))?;
        let target = target.split('#').next().unwrap_or_default();
        let slash = if target.starts_with('/') { "" } else { "/" };
        let connection = Connection::new(Target {
            host: host.to_owned(),
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            tls_name: is_tls.then(|| host.to_owned()),
            timeout: config.timeout,
            keepalive: config.keepalive,
        });
        let mut head = format!(
            "{} {slash}{target} HTTP/1.1\r\nHost: {place}\r\n",
            config.method
        );
        head.push_str(&format!("Content-Type: {}\r\n", config.content_type));
        if let Some(user) = user {
            head.push_str(&format!(
                "Authorization: Basic {}\r\n",
                STANDARD.encode(user)
            ));
        }
        for (name, value) in config.headers {
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("User-Agent: gatehouse\r\n");
        let url = format!("{scheme}://{place}{slash}{target}");
        Ok(Self {
            connection,
            head,
            url,
        })
    }

    /// Sends a body; anything but a status from 200 to 299 is a failure.
    pub(crate) fn send(&mut self, body: &[u8]) -> Result<(), String> {
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head, body.len());
        let answer = self.connection.with(|stream| {
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            stream.flush()?;
            read(stream)
        });
        let answer = answer.map_err(|error| format!("`{}`: {error}", self.url))?;
        if !answer.can_stay {
            self.connection.close();
        }
        match answer.status {
            200..300 => Ok(()),
            status => Err(format!("`{}` answered {status}", self.url)),
        }
    }
}

/// Host and port; a port must be a number.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            None => Some((host, None)),
            Some(port) => Some((host, Some(port.parse().ok()?))),
        };
    }
    match place.rsplit_once(':') {
        None => Some((place, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
    }
}

struct Answer {
    status: u16,
    /// Whether the connection can be used again.
    can_stay: bool,
}

/// Reads an answer up to its end, as far as that is told.
fn read(stream: &mut dyn Duplex) -> io::Result<Answer> {
    let bad = |text: &'static str| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > HEAD_MAX {
            return Err(bad("the head of the answer is too long"));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| bad("the answer has no status"))?;
    let field = |name: &str| {
        let line = head.split("\r\n").skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_ascii_lowercase())
        });
        line.unwrap_or_default()
    };
    let length = field("content-length").parse::<u64>().ok();
    let length = if status == 204 { Some(0) } else { length };
    let told = length.filter(|length| *length <= BODY_MAX);
    let has_read = (bytes.len() - end - 4) as u64;
    let mut left = told.map_or(0, |length| length.saturating_sub(has_read));
    while left > 0 {
        match stream.read(&mut buffer)? {
            0 => break,
            count => left = left.saturating_sub(count as u64),
        }
    }
    let can_stay = told.is_some() && left == 0 && field("connection") != "close";
    Ok(Answer { status, can_stay })
}
