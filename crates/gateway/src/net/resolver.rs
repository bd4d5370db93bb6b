//! Names of services to addresses, as a core remembers them: a request finds what it needs without
//! asking anybody while that is fresh. What is fresh, and what serves on when it is not, is
//! decided by the node's resolver.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::Instant;

use crate::dns::{Answer, Dns, DnsError, Found};

/// How long a core uses an old answer or a failure before it looks again, in microseconds.
const LOOK_AGAIN: u64 = 1_000_000;
/// How long a core uses an answer that has no end, in microseconds.
const ENDLESS: u64 = 60_000_000;
/// Most names in the cache of a core.
const MAX_NAMES: usize = 4096;
/// Most turns of a name with weights.
const MAX_TURNS: u32 = 1024;

/// What a core knows of a name.
#[derive(Debug)]
struct Known {
    answer: Result<Arc<Answer>, DnsError>,
    /// Indices of addresses in the order of their turns.
    turns: Vec<usize>,
    next: usize,
    until: u64,
}

/// The name cache of a core.
#[derive(Debug)]
pub(crate) struct Resolver {
    dns: Arc<Dns>,
    names: RefCell<HashMap<Box<str>, Known>>,
}

impl Resolver {
    /// An empty cache before the node's resolver.
    pub(crate) fn new(dns: Arc<Dns>) -> Self {
        Self {
            dns,
            names: RefCell::default(),
        }
    }

    /// Resolves a name to one address; several addresses take turns. A service record has a port
    /// of its own.
    pub(crate) async fn resolve(
        &self,
        name: &str,
        port: u16,
        now: u64,
    ) -> Result<SocketAddr, DnsError> {
        if let Some(known) = self.cached(name, port, now) {
            return known;
        }
        let answer = self.dns.resolve(name).await;
        self.remember(name, answer, now);
        self.cached(name, port, now).unwrap_or(Err(DnsError::Empty))
    }

    fn cached(&self, name: &str, port: u16, now: u64) -> Option<Result<SocketAddr, DnsError>> {
        let mut names = self.names.borrow_mut();
        let known = names.get_mut(name).filter(|known| now < known.until)?;
        let answer = match &known.answer {
            Ok(answer) => answer,
            Err(error) => return Some(Err(error.clone())),
        };
        let index = known.turns.get(known.next).copied();
        known.next = (known.next + 1).checked_rem(known.turns.len())?;
        let found = answer.found.get(index?)?;
        Some(Ok(SocketAddr::new(found.ip, found.port.unwrap_or(port))))
    }

    fn remember(&self, name: &str, answer: Result<Arc<Answer>, DnsError>, now: u64) {
        let (turns, lives) = match &answer {
            Ok(answer) => (turns(&answer.found), fresh(answer)),
            Err(_) => (Vec::new(), LOOK_AGAIN),
        };
        let mut names = self.names.borrow_mut();
        if names.len() >= MAX_NAMES && !names.contains_key(name) {
            names.clear();
        }
        let next = names.get(name).map_or(0, |known| known.next);
        let known = Known {
            answer,
            next: next.checked_rem(turns.len()).unwrap_or(0),
            turns,
            until: now + lives,
        };
        names.insert(name.into(), known);
    }
}

/// How long an answer needs no second look, in microseconds.
fn fresh(answer: &Answer) -> u64 {
    let Some(until) = answer.valid_until else {
        return ENDLESS;
    };
    let left = until.saturating_duration_since(Instant::now()).as_micros();
    u64::try_from(left).unwrap_or(ENDLESS).max(LOOK_AGAIN)
}

/// Each address as often as its weight says, in rounds, so that none gets a burst.
fn turns(found: &[Found]) -> Vec<usize> {
    let least = found.iter().map(|found| found.weight).min().unwrap_or(1);
    let total: u32 = found.iter().map(|found| u32::from(found.weight)).sum();
    let scale = (total / MAX_TURNS).max(u32::from(least)).max(1);
    let share = |found: &Found| (u32::from(found.weight) / scale).max(1);
    let rounds = found.iter().map(share).max().unwrap_or(0);
    (0..rounds)
        .flat_map(|round| {
            let due = found.iter().enumerate();
            due.filter(move |(_, found)| share(found) > round)
                .map(|(index, _)| index)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver() -> Resolver {
        Resolver::new(Dns::new(&conf::Settings::builtin().dns))
    }

    async fn resolve(name: &str) -> Result<String, DnsError> {
        let found = resolver().resolve(name, 80, 0).await?;
        Ok(found.to_string())
    }

    #[tokio::test]
    async fn addresses_and_loopback_names_need_no_lookup() {
        let loopback = Ok("127.0.0.1:80".to_owned());
        assert_eq!(resolve("127.0.0.1").await, loopback);
        assert_eq!(resolve("echo.LOCALHOST.").await, loopback);
        assert_eq!(resolve("[::1]").await, Ok("[::1]:80".to_owned()));
    }

    #[tokio::test]
    async fn a_name_that_cannot_exist_fails_and_is_remembered() {
        let resolver = resolver();
        let failed = Some(Err(DnsError::NoSuchName));
        let first = resolver.resolve("nope.invalid", 80, 5).await;
        assert_eq!(Some(first), failed);
        assert_eq!(resolver.cached("nope.invalid", 80, 6), failed);
        assert_eq!(resolver.cached("nope.invalid", 80, 5 + LOOK_AGAIN), None);
    }

    #[test]
    fn addresses_get_turns_by_weight() {
        let found = |weight| Found {
            weight,
            ..Found::plain([10, 0, 0, 1].into())
        };
        assert_eq!(turns(&[found(1), found(1)]), [0, 1]);
        assert_eq!(turns(&[found(10), found(30)]), [0, 1, 1, 1]);
        assert!(turns(&[found(65535), found(1)]).len() < 2048);
        assert!(turns(&[]).is_empty());
    }
}
