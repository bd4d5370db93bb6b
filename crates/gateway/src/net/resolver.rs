//! Names of services to addresses, cached per core. The system resolver runs on tokio's blocking
//! threads, so the data path never waits for it but in the request that needs the name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// How long an answer is fresh, in microseconds. The system resolver tells no time to live.
const FRESH: u64 = 10_000_000;
/// How long an answer may be served while it is being renewed.
const STALE: u64 = 3_600_000_000;
/// How long a failure is remembered.
const FAILED: u64 = 1_000_000;
/// Most names in the cache.
const MAX_NAMES: usize = 4096;

/// A name could not be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name resolution failed")]
pub(crate) struct ResolveError;

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<IpAddr>,
    next: usize,
    read_at: u64,
    is_renewing: bool,
}

/// The name cache of a core.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    names: RefCell<HashMap<Box<str>, Known>>,
}

enum Cached {
    Fresh(IpAddr),
    Stale(IpAddr),
    Failed,
    Unknown,
}

impl Resolver {
    /// Resolves a name to one address; several addresses take turns.
    pub(crate) async fn resolve(
        self: &Rc<Self>,
        name: &str,
        now: u64,
    ) -> Result<IpAddr, ResolveError> {
        if let Some(address) = without_lookup(name) {
            return Ok(address);
        }
        match self.cached(name, now) {
            Cached::Fresh(address) => return Ok(address),
            Cached::Stale(address) => {
                let resolver = Rc::clone(self);
                let name: Box<str> = name.into();
                tokio::task::spawn_local(async move { resolver.renew(&name, now).await });
                return Ok(address);
            }
            Cached::Failed => return Err(ResolveError),
            Cached::Unknown => self.renew(name, now).await,
        }
        match self.cached(name, now) {
            Cached::Fresh(address) | Cached::Stale(address) => Ok(address),
            Cached::Failed | Cached::Unknown => Err(ResolveError),
        }
    }

    fn cached(&self, name: &str, now: u64) -> Cached {
        let mut names = self.names.borrow_mut();
        let Some(known) = names.get_mut(name) else {
            return Cached::Unknown;
        };
        let age = now.saturating_sub(known.read_at);
        if known.addresses.is_empty() {
            return if age < FAILED {
                Cached::Failed
            } else {
                Cached::Unknown
            };
        }
        known.next = (known.next + 1) % known.addresses.len();
        let address = known.addresses[known.next];
        if age < FRESH || known.is_renewing {
            return Cached::Fresh(address);
        }
        if age > STALE {
            return Cached::Unknown;
        }
        known.is_renewing = true;
        Cached::Stale(address)
    }

    async fn renew(&self, name: &str, now: u64) {
        let answer = tokio::net::lookup_host((name, 0)).await;
        let mut addresses: Vec<IpAddr> = answer.map_or_else(
            |_| Vec::new(),
            |found| found.map(|address| address.ip()).collect(),
        );
        // Compat: the reference asks for A records first and for AAAA only when told to.
        if addresses.iter().any(IpAddr::is_ipv4) {
            addresses.retain(IpAddr::is_ipv4);
        }
        let mut names = self.names.borrow_mut();
        if names.len() >= MAX_NAMES && !names.contains_key(name) {
            names.clear();
        }
        let known = names.entry(name.into()).or_default();
        known.is_renewing = false;
        known.read_at = now;
        // A failed renewal keeps the old answer until it is too stale.
        if !addresses.is_empty() || known.addresses.is_empty() {
            known.addresses = addresses;
        }
    }
}

/// Addresses and loopback names need no lookup (RFC 6761 section 6.3).
fn without_lookup(name: &str) -> Option<IpAddr> {
    if let Ok(address) = name.trim_matches(['[', ']']).parse() {
        return Some(address);
    }
    let bare = name.trim_end_matches('.');
    let label = bare.rsplit('.').next().unwrap_or(bare);
    label
        .eq_ignore_ascii_case("localhost")
        .then_some(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolve(name: &str) -> Result<IpAddr, ResolveError> {
        Rc::new(Resolver::default()).resolve(name, 0).await
    }

    #[tokio::test]
    async fn addresses_and_loopback_names_need_no_lookup() {
        let loopback = Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(resolve("127.0.0.1").await, loopback);
        assert_eq!(resolve("localhost").await, loopback);
        assert_eq!(resolve("echo.LOCALHOST.").await, loopback);
        assert_eq!(
            resolve("[::1]").await,
            Ok("::1".parse().expect("an address"))
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_fails_and_is_remembered() {
        let resolver = Rc::new(Resolver::default());
        assert_eq!(resolver.resolve("nope.invalid", 5).await, Err(ResolveError));
        assert!(matches!(resolver.cached("nope.invalid", 6), Cached::Failed));
        assert!(matches!(
            resolver.cached("nope.invalid", 5 + FAILED),
            Cached::Unknown
        ));
    }
}
