//! The hosts file, and names that need no server.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// Limit: names of the hosts file.
const NAMES_MAX: usize = 100_000;

/// Names with fixed addresses.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    v4: HashMap<Box<str>, Vec<IpAddr>>,
    v6: HashMap<Box<str>, Vec<IpAddr>>,
}

impl Hosts {
    /// Reads the file once. One that cannot be read has no names.
    pub(super) fn read(path: &Path) -> Self {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
            Err(_) => Self::default(),
        }
    }

    fn parse(text: &str) -> Self {
        let mut hosts = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let Some(Ok(ip)) = words.next().map(str::parse::<IpAddr>) else {
                continue;
            };
            let names = if ip.is_ipv4() {
                &mut hosts.v4
            } else {
                &mut hosts.v6
            };
            for name in words {
                if names.len() >= NAMES_MAX {
                    break;
                }
                // Compat: of several lines for a name the first counts.
                let name = name.to_ascii_lowercase().into_boxed_str();
                names.entry(name).or_insert_with(|| vec![ip]);
            }
        }
        hosts
    }

    /// The fixed addresses of a name in lower case: an address is its own, names under `localhost`
    /// are this machine (RFC 6761 section 6.3).
    pub(super) fn find(&self, name: &str) -> Option<Vec<IpAddr>> {
        if let Ok(ip) = name.trim_matches(['[', ']']).parse() {
            return Some(vec![ip]);
        }
        let bare = name.strip_suffix('.').unwrap_or(name);
        if let Some(found) = self.v4.get(bare).or_else(|| self.v6.get(bare)) {
            return Some(found.clone());
        }
        match bare.rsplit('.').next() {
            Some("localhost") => Some(vec![Ipv4Addr::LOCALHOST.into()]),
            _ if bare == "ip6-localhost" => Some(vec![Ipv6Addr::LOCALHOST.into()]),
            _ => None,
        }
    }
}

/// Whether a name can never exist (RFC 6761 section 6.4).
pub(super) fn is_invalid(name: &str) -> bool {
    let bare = name.strip_suffix('.').unwrap_or(name);
    bare == "invalid" || bare.ends_with(".invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_name_counts_and_ipv4_goes_first() {
        let hosts = Hosts::parse(
            "# names\n10.0.0.1 a.test A2.test # more\n10.0.0.2 a.test\n\nfe80::1%eth0 bad\n\
             2001:db8::1 a.test six.test\nnonsense here\n",
        );
        let found = |name| hosts.find(name).map(|found| found[0].to_string());
        assert_eq!(found("a.test").as_deref(), Some("10.0.0.1"));
        assert_eq!(found("a2.test.").as_deref(), Some("10.0.0.1"));
        assert_eq!(found("six.test").as_deref(), Some("2001:db8::1"));
        assert_eq!(found("here"), None);
        assert_eq!(found("bad"), None);
    }

    #[test]
    fn addresses_and_loopback_names_need_no_server() {
        let hosts = Hosts::default();
        let found = |name| hosts.find(name).map(|found| found[0].to_string());
        assert_eq!(found("10.1.2.3").as_deref(), Some("10.1.2.3"));
        assert_eq!(found("[::1]").as_deref(), Some("::1"));
        assert_eq!(found("localhost").as_deref(), Some("127.0.0.1"));
        assert_eq!(found("echo.localhost.").as_deref(), Some("127.0.0.1"));
        assert_eq!(found("localhost.test"), None);
        assert!(is_invalid("nope.invalid") && is_invalid("invalid.") && !is_invalid("valid.test"));
    }
}
