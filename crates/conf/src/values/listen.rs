//! The grammar of listeners: `off`, or `address:port flag…` entries separated by commas.

use std::net::SocketAddr;

use super::address::resolve;

/// One socket to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where; port 0 lets the system choose.
    pub address: SocketAddr,
    /// `ssl`: TLS.
    pub ssl: bool,
    /// `http2`: HTTP/2 is offered (by ALPN with TLS, by prior knowledge without).
    pub http2: bool,
    /// `proxy_protocol`: peers must begin with a PROXY header of version 1 or 2.
    pub proxy_protocol: bool,
    /// `reuseport`: one socket per thread.
    pub reuseport: bool,
    /// `deferred`: accept only when bytes have arrived.
    pub deferred: bool,
    /// `bind`: has no effect here; every entry gets its own socket.
    pub bind: bool,
    /// `udp` (stream listeners only).
    pub udp: bool,
    /// `backlog=N`: length of the accept queue; the system's default when absent.
    pub backlog: Option<u32>,
    /// `ipv6only=on|off`; the system's default when absent.
    pub ipv6only: Option<bool>,
    /// `so_keepalive=…`; the system's default when absent.
    pub so_keepalive: Option<Keepalive>,
}

impl Listen {
    /// A plain listener without flags.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            ssl: false,
            http2: false,
            proxy_protocol: false,
            reuseport: false,
            deferred: false,
            bind: false,
            udp: false,
            backlog: None,
            ipv6only: None,
            so_keepalive: None,
        }
    }
}

/// TCP keep-alive of accepted connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keepalive {
    /// `off`.
    Off,
    /// `on`, with the system's times.
    On,
    /// `idle:interval:count`; a part left out takes the system's default.
    Times {
        /// Seconds of silence before the first probe.
        idle_seconds: Option<u32>,
        /// Seconds between probes.
        interval_seconds: Option<u32>,
        /// Probes before giving up.
        count: Option<u32>,
    },
}

/// Which flags a listener may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subsystem {
    Http,
    Stream,
}

const HTTP_FORM: &str = "it must be of the form: [off] | <ip>:<port> [ssl] [http2] \
     [proxy_protocol] [deferred] [bind] [reuseport] [backlog=<count>] [ipv6only=on|off] \
     [so_keepalive=on|off|<idle>:<interval>:<count>], [... next entry ...]";
const STREAM_FORM: &str = "it must be of the form: [off] | <ip>:<port> [udp] [ssl] \
     [proxy_protocol] [bind] [reuseport] [backlog=<count>] [ipv6only=on|off] \
     [so_keepalive=on|off|<idle>:<interval>:<count>], [... next entry ...]";

/// Reads all entries. `Compat:` a first entry `off` disables everything.
pub(crate) fn parse_listeners(
    entries: &[String],
    subsystem: Subsystem,
) -> Result<Vec<Listen>, String> {
    if entries.first().is_none_or(|first| first == "off") {
        return Ok(Vec::new());
    }
    let form = match subsystem {
        Subsystem::Http => HTTP_FORM,
        Subsystem::Stream => STREAM_FORM,
    };
    let parse = |entry: &String| {
        parse_entry(entry, subsystem).map_err(|reason| format!("{reason}; {form}"))
    };
    entries.iter().map(parse).collect()
}

fn parse_entry(entry: &str, subsystem: Subsystem) -> Result<Listen, String> {
    let mut words = entry.split_ascii_whitespace();
    let address = words.next().ok_or("an entry is empty")?;
    let (host, port) = split_port(address)?;
    let mut listen = Listen::plain(resolve(host, port)?);
    for word in words {
        let is_known = flag(&mut listen, word, subsystem)?;
        if !is_known {
            return Err(format!("`{word}` is not a flag"));
        }
    }
    Ok(listen)
}

fn split_port(address: &str) -> Result<(&str, u16), String> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| format!("`{address}` has no port"))?;
    let port = port
        .parse()
        .map_err(|_| format!("`{port}` is not a port"))?;
    let is_bare_ipv6 = host.contains(':') && !host.starts_with('[');
    if host.is_empty() || is_bare_ipv6 {
        return Err(format!(
            "`{address}` needs an address; write IPv6 addresses in brackets"
        ));
    }
    Ok((host, port))
}

fn flag(listen: &mut Listen, word: &str, subsystem: Subsystem) -> Result<bool, String> {
    let is_http = subsystem == Subsystem::Http;
    match word {
        "ssl" => listen.ssl = true,
        "http2" if is_http => listen.http2 = true,
        "deferred" if is_http => listen.deferred = true,
        "udp" if !is_http => listen.udp = true,
        "proxy_protocol" => listen.proxy_protocol = true,
        "bind" => listen.bind = true,
        "reuseport" => listen.reuseport = true,
        _ => match word.split_once('=') {
            Some(("backlog", count)) => listen.backlog = Some(number(count)?),
            Some(("ipv6only", "on")) => listen.ipv6only = Some(true),
            Some(("ipv6only", "off")) => listen.ipv6only = Some(false),
            Some(("so_keepalive", times)) => listen.so_keepalive = Some(keepalive(times)?),
            _ => return Ok(false),
        },
    }
    Ok(true)
}

fn number(text: &str) -> Result<u32, String> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_digits)
        .ok_or_else(|| format!("`{text}` is not a number"))
}

fn keepalive(text: &str) -> Result<Keepalive, String> {
    match text {
        "on" => return Ok(Keepalive::On),
        "off" => return Ok(Keepalive::Off),
        _ => {}
    }
    let part = |text: &str| {
        let seconds = text.strip_suffix('s').unwrap_or(text);
        if text.is_empty() {
            Ok(None)
        } else {
            number(seconds).map(Some)
        }
    };
    let mut parts = text.split(':');
    let mut next = || parts.next().map(part).transpose().map(Option::flatten);
    let (idle_seconds, interval_seconds, count) = (next()?, next()?, next()?);
    if text.matches(':').count() != 2 || text == "::" {
        return Err(format!(
            "`so_keepalive={text}` is not on, off or <idle>:<interval>:<count>"
        ));
    }
    Ok(Keepalive::Times {
        idle_seconds,
        interval_seconds,
        count,
    })
}
