//! Sessions that clients may resume: how long, and how many are kept.
//!
//! The time of issue stands before what is kept or sealed; nothing here looks into the rest.

use std::sync::Arc;
use std::time::Duration;

use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};

/// Memory that a kept session takes, roughly, in bytes. Compat: 4,000 in a mebibyte.
const SESSION_BYTES: u64 = 256;
/// Limit: most sessions kept by a listener, whatever the setting says.
const SESSIONS_MAX: u64 = 1_000_000;
/// Length of the time before what is kept.
const TIME: usize = 8;

/// The lifetime of sessions.
#[derive(Clone, Copy, Debug)]
struct Lifetime(u64);

impl Lifetime {
    fn stamp(self, content: &[u8]) -> Vec<u8> {
        let now = clock::unix_seconds();
        [&now.to_be_bytes(), content].concat()
    }

    /// What stands behind the time, unless that is too long ago.
    fn check(self, stamped: &[u8]) -> Option<Vec<u8>> {
        let (time, content) = stamped.split_first_chunk::<TIME>()?;
        let age = clock::unix_seconds().saturating_sub(u64::from_be_bytes(*time));
        (age < self.0).then(|| content.to_vec())
    }
}

/// Tickets that end in time. Their keys change by themselves every six hours, and are forgotten
/// after twelve.
#[derive(Debug)]
pub(super) struct Tickets {
    inner: Arc<dyn ProducesTickets>,
    lifetime: Lifetime,
}

impl Tickets {
    pub(super) fn new(timeout: Duration) -> Result<Arc<Self>, rustls::Error> {
        Ok(Arc::new(Self {
            inner: rustls::crypto::aws_lc_rs::Ticketer::new()?,
            lifetime: Lifetime(timeout.as_secs()),
        }))
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        let own = u32::try_from(self.lifetime.0).unwrap_or(u32::MAX);
        own.min(self.inner.lifetime())
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.inner.encrypt(&self.lifetime.stamp(plain))
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.lifetime.check(&self.inner.decrypt(cipher)?)
    }
}

/// Sessions kept here, for clients that get no tickets.
#[derive(Debug)]
pub(super) struct Sessions {
    inner: Arc<ServerSessionMemoryCache>,
    lifetime: Lifetime,
}

impl Sessions {
    /// Keeps as many as fit into so many bytes.
    pub(super) fn new(bytes: u64, timeout: Duration) -> Arc<Self> {
        let count = (bytes / SESSION_BYTES).clamp(1, SESSIONS_MAX);
        Arc::new(Self {
            inner: ServerSessionMemoryCache::new(usize::try_from(count).unwrap_or(1)),
            lifetime: Lifetime(timeout.as_secs()),
        })
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.inner.put(key, self.lifetime.stamp(&value))
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lifetime.check(&self.inner.get(key)?)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lifetime.check(&self.inner.take(key)?)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_is_not_resumed() {
        let lifetime = Lifetime(60);
        let stamped = lifetime.stamp(b"state");
        assert_eq!(lifetime.check(&stamped).as_deref(), Some(&b"state"[..]));
        let mut old = stamped;
        let long_ago = clock::unix_seconds() - 60;
        old[..TIME].copy_from_slice(&long_ago.to_be_bytes());
        assert_eq!(lifetime.check(&old), None);
        assert_eq!(lifetime.check(&[0; 7]), None);
    }

    #[test]
    fn tickets_open_for_their_maker_alone_and_for_as_long_as_they_say() {
        let minute = Tickets::new(Duration::from_mins(1)).expect("keys");
        let sealed = minute.encrypt(b"state").expect("a ticket");
        assert_eq!(minute.decrypt(&sealed).as_deref(), Some(&b"state"[..]));
        assert_eq!(minute.lifetime(), 60);
        let other = Tickets::new(Duration::from_hours(48)).expect("keys");
        assert_eq!(other.decrypt(&sealed), None);
        assert!(other.lifetime() <= 12 * 3600);
        let none = Tickets::new(Duration::ZERO).expect("keys");
        let sealed = none.encrypt(b"state").expect("a ticket");
        assert_eq!(none.decrypt(&sealed), None);
    }

    #[test]
    fn the_cache_keeps_no_more_than_fits() {
        let sessions = Sessions::new(10 * SESSION_BYTES, Duration::from_mins(1));
        for number in 0..100_u8 {
            assert!(sessions.put(vec![number], vec![number]));
        }
        let kept = (0..100_u8).filter(|number| sessions.get(&[*number]).is_some());
        assert!((1..=10).contains(&kept.count()));
        assert_eq!(sessions.take(&[99]), Some(vec![99]));
        assert_eq!(sessions.get(&[99]), None);
    }
}
