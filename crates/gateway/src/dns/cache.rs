//! What is remembered of names.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use conf::DnsFamily;
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::{Answer, DnsError};

/// What is known of a name.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The last good answer.
    pub(super) answer: Option<Arc<Answer>>,
    /// The last failure, and until when it is believed.
    pub(super) failure: Option<(DnsError, Instant)>,
    /// The kind of records that answered last.
    pub(super) last: Option<DnsFamily>,
    /// Ends when the question under way is answered.
    pub(super) asking: Option<watch::Receiver<()>>,
}

impl Entry {
    /// The question under way, if there is one.
    pub(super) fn asking(&self) -> Option<watch::Receiver<()>> {
        let asking = self.asking.as_ref()?;
        asking.has_changed().is_ok().then(|| asking.clone())
    }

    /// The answer, if it is not older than it may be.
    pub(super) fn usable(&self, now: Instant, stale: Duration) -> Option<&Arc<Answer>> {
        let answer = self.answer.as_ref()?;
        let is_usable = answer.valid_until.is_none_or(|until| now < until + stale);
        is_usable.then_some(answer)
    }

    /// The failure, if it is still believed.
    pub(super) fn failure(&self, now: Instant) -> Option<&DnsError> {
        let (error, until) = self.failure.as_ref()?;
        (now < *until).then_some(error)
    }

    /// The moment at which nothing of it is fresh any more.
    fn ends(&self) -> Option<Instant> {
        let answer = self.answer.as_ref().and_then(|answer| answer.valid_until);
        answer.max(self.failure.as_ref().map(|(_, until)| *until))
    }
}

/// Names and what is known of them; so many at most.
#[derive(Debug)]
pub(super) struct Cache {
    entries: HashMap<Box<str>, Entry>,
    most: usize,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            most: most.max(1),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The entry of a name; makes room for it at the cost of whichever ended first.
    pub(super) fn entry(&mut self, name: &str) -> &mut Entry {
        if self.entries.len() >= self.most && !self.entries.contains_key(name) {
            let idle = self
                .entries
                .iter()
                .filter(|(_, entry)| entry.asking().is_none());
            let first = idle
                .min_by_key(|(_, entry)| entry.ends())
                .map(|(name, _)| name.clone());
            if let Some(first) = first {
                self.entries.remove(&first);
            }
        }
        self.entries.entry(name.into()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_cache_stays_within_its_limit_and_drops_what_ended_first() {
        let mut cache = Cache::new(3);
        let now = Instant::now();
        for (name, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 40)] {
            let until = now + Duration::from_secs(seconds);
            cache.entry(name).failure = Some((DnsError::Empty, until));
        }
        assert_eq!(cache.entries.len(), 3);
        assert!(cache.get("b").is_none() && cache.get("d").is_some());
    }
}
