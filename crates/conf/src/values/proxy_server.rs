//! `proxy_server`: the forward proxy towards the control plane.

use std::fmt;

use super::address::split_host_port;
use super::choice::ProxyScheme;
use crate::Secret;

/// Port of a proxy that names none. `Compat:` 443 for `http` as well.
const DEFAULT_PORT: u16 = 443;

/// A forward proxy that is asked with CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyServer {
    /// How it is reached.
    pub scheme: ProxyScheme,
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Sent as `Proxy-Authorization: Basic`.
    pub credentials: Option<Credentials>,
}

/// User and password, percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials({}, [hidden])", self.user)
    }
}

impl ProxyServer {
    /// Reads `http[s]://[user:password@]host[:port]`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without the credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("http://") {
            (ProxyScheme::Http, rest)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (ProxyScheme::Https, rest)
        } else {
            return Err("it must begin with `http://` or `https://`".to_owned());
        };
        if rest.contains(['?', '#']) {
            return Err("a query or fragment is not possible".to_owned());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('/') {
            return Err("a path is not possible".to_owned());
        }
        let (userinfo, authority) = match rest.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, rest),
        };
        let (host, port) = split_host_port(authority, DEFAULT_PORT)?;
        let credentials = userinfo.map(parse_credentials).transpose()?.flatten();
        Ok(Self {
            scheme,
            host,
            port,
            credentials,
        })
    }
}

/// `Compat:` without a password no credentials are sent.
fn parse_credentials(userinfo: &str) -> Result<Option<Credentials>, String> {
    let Some((user, password)) = userinfo.split_once(':') else {
        return Ok(None);
    };
    let user = percent_decode(user)?;
    let password = Secret::new(percent_decode(password)?);
    Ok(Some(Credentials { user, password }))
}

fn percent_decode(text: &str) -> Result<String, String> {
    let mistake = || "the user or password is not percent-encoded UTF-8".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let digits = digits.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or_else(mistake)?;
        bytes.push(byte);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| mistake())
}
