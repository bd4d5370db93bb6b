//! Marks that operators set on targets through the Admin API.
//!
//! Compat: a mark holds until it is taken back or the process ends; it is not part of the
//! configuration. A target that is marked as unhealthy gets no traffic.

use std::collections::HashMap;
use std::net::SocketAddr;

use parking_lot::RwLock;
use uuid::Uuid;

/// Limit: targets with marks.
const TARGETS_MAX: usize = 10_000;

/// Limit: marked addresses of a target.
const ADDRESSES_MAX: usize = 256;

/// The marks of a node's targets.
#[derive(Debug, Default)]
pub struct Marks {
    targets: RwLock<HashMap<(Uuid, String), Mark>>,
}

#[derive(Debug, Default)]
struct Mark {
    /// All addresses but those that are named.
    is_out: bool,
    /// By `ip:port`, whether it is out.
    addresses: HashMap<String, bool>,
}

impl Marks {
    /// Marks one address of a target (`ip:port`), or all of them.
    pub fn set(&self, upstream: Uuid, target: &str, address: Option<String>, is_healthy: bool) {
        let mut targets = self.targets.write();
        let key = (upstream, target.to_owned());
        if !targets.contains_key(&key) && targets.len() >= TARGETS_MAX {
            return;
        }
        let mark = targets.entry(key.clone()).or_default();
        match address {
            None => {
                mark.is_out = !is_healthy;
                mark.addresses.clear();
            }
            Some(address) if mark.addresses.len() < ADDRESSES_MAX => {
                mark.addresses.insert(address, !is_healthy);
            }
            Some(_) => {}
        }
        if !mark.is_out && !mark.addresses.values().any(|is_out| *is_out) {
            targets.remove(&key);
        }
    }

    /// Whether an address of a target counts as healthy.
    #[must_use]
    pub fn is_healthy(&self, upstream: Uuid, target: &str, address: SocketAddr) -> bool {
        let targets = self.targets.read();
        let Some(mark) = targets.get(&(upstream, target.to_owned())) else {
            return true;
        };
        let own = mark.addresses.get(&address.to_string());
        !own.copied().unwrap_or(mark.is_out)
    }

    /// Whether a target gets no traffic: it is marked whole, or is one address and that is.
    #[must_use]
    pub fn is_out(&self, upstream: Uuid, target: &str) -> bool {
        let targets = self.targets.read();
        if targets.is_empty() {
            return false;
        }
        let mark = targets.get(&(upstream, target.to_owned()));
        mark.is_some_and(|mark| {
            let own = mark.addresses.get(target);
            own.copied().unwrap_or(mark.is_out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPSTREAM: Uuid = Uuid::from_u128(7);

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_marked_target_is_out_until_it_is_marked_again() {
        let marks = Marks::default();
        let at = address("127.0.0.1:80");
        assert!(marks.is_healthy(UPSTREAM, "a.test:80", at));
        marks.set(UPSTREAM, "a.test:80", None, false);
        assert!(marks.is_out(UPSTREAM, "a.test:80"));
        assert!(!marks.is_healthy(UPSTREAM, "a.test:80", at));
        assert!(!marks.is_out(UPSTREAM, "b.test:80"));
        assert!(!marks.is_out(Uuid::nil(), "a.test:80"));
        marks.set(UPSTREAM, "a.test:80", None, true);
        assert!(!marks.is_out(UPSTREAM, "a.test:80"));
        assert!(marks.targets.read().is_empty());
    }

    #[test]
    fn one_address_can_be_marked_apart_from_the_others() {
        let marks = Marks::default();
        marks.set(UPSTREAM, "a.test:80", Some("10.0.0.1:80".to_owned()), false);
        assert!(!marks.is_out(UPSTREAM, "a.test:80"));
        assert!(!marks.is_healthy(UPSTREAM, "a.test:80", address("10.0.0.1:80")));
        assert!(marks.is_healthy(UPSTREAM, "a.test:80", address("10.0.0.2:80")));
        let own = "10.0.0.9:80";
        marks.set(UPSTREAM, own, Some(own.to_owned()), false);
        assert!(marks.is_out(UPSTREAM, own));
    }

    #[test]
    fn marks_are_limited() {
        let marks = Marks::default();
        for number in 0..TARGETS_MAX + 10 {
            marks.set(UPSTREAM, &format!("t{number}:80"), None, false);
        }
        for number in 0..ADDRESSES_MAX + 10 {
            marks.set(UPSTREAM, "t1:80", Some(format!("10.0.{number}:80")), false);
        }
        let targets = marks.targets.read();
        assert_eq!(targets.len(), TARGETS_MAX);
        let mark = &targets[&(UPSTREAM, "t1:80".to_owned())];
        assert_eq!(mark.addresses.len(), ADDRESSES_MAX);
    }
}
