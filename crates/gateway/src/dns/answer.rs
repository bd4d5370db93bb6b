//! What a name led to.

use std::net::IpAddr;

use tokio::time::Instant;

/// Where a name leads: its addresses, until when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The addresses; at least one.
    pub(crate) found: Vec<Found>,
    /// The kind of records, as the Admin API names it.
    pub(crate) kind: &'static str,
    /// Until when it is fresh; `None` for what needs no server.
    pub(crate) valid_until: Option<Instant>,
    /// When it was given.
    pub(crate) read_at: Instant,
}

/// One address of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The address.
    pub(crate) ip: IpAddr,
    /// The port of a service record.
    pub(crate) port: Option<u16>,
    /// Weight of a service record, at least 1; 1 for plain addresses.
    pub(crate) weight: u16,
    /// Name of the machine in a service record.
    pub(crate) name: Option<Box<str>>,
}

impl Found {
    /// An address without more.
    pub(crate) const fn plain(ip: IpAddr) -> Self {
        Self {
            ip,
            port: None,
            weight: 1,
            name: None,
        }
    }
}

impl Answer {
    /// An answer that needs no server.
    pub(crate) fn fixed(addresses: Vec<IpAddr>) -> Self {
        let is_v4 = addresses.first().is_none_or(IpAddr::is_ipv4);
        Self {
            found: addresses.into_iter().map(Found::plain).collect(),
            kind: if is_v4 { "A" } else { "AAAA" },
            valid_until: None,
            read_at: Instant::now(),
        }
    }

    /// Whether it is fresh.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }
}

/// Why a name leads nowhere.
///
/// `Compat:` texts are those of the reference, where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DnsError {
    /// There is no such name.
    #[error("dns server error: 3 name error")]
    NoSuchName,
    /// The name has no addresses.
    #[error("dns client error: 101 empty record received")]
    Empty,
    /// The server cannot or will not answer.
    #[error("dns server error: {code} {}", code_text(*.code))]
    Server {
        /// What it said.
        code: u16,
    },
    /// Nobody answered, or not so that it can be understood.
    #[error("{0}")]
    NoAnswer(String),
    /// It is no name.
    #[error("dns client error: `{0}` is not a name")]
    BadName(String),
}

impl DnsError {
    /// Whether somebody said that there is nothing; otherwise it may be there all the same.
    pub(crate) const fn is_absence(&self) -> bool {
        matches!(self, Self::NoSuchName | Self::Empty | Self::BadName(_))
    }
}

fn code_text(code: u16) -> &'static str {
    match code {
        1 => "format error",
        2 => "server failure",
        4 => "not implemented",
        5 => "refused",
        _ => "unknown error",
    }
}
