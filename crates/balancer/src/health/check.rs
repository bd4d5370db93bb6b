//! What results mean.

use super::cause::Source;

/// What came of a request or a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status.
    Status(u16),
    /// A connection was made, and no more was asked for.
    Connected,
    /// No connection, or one that broke.
    ConnectionFailure,
    /// Nothing in time.
    Timeout,
}

/// A set of statuses from 0 to 1023.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusSet([u64; 16]);

impl StatusSet {
    /// Whether a status is in it.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        let word = self.0.get(usize::from(status / 64)).copied();
        word.unwrap_or(0) & (1 << (status % 64)) != 0
    }
}

impl<'a> FromIterator<&'a u16> for StatusSet {
    fn from_iter<I: IntoIterator<Item = &'a u16>>(statuses: I) -> Self {
        let mut set = Self::default();
        for status in statuses {
            if let Some(word) = set.0.get_mut(usize::from(status / 64)) {
                *word |= 1 << (status % 64);
            }
        }
        set
    }
}

/// Rules of probes, or of real traffic. A limit of 0 switches its kind of result off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whose rules these are.
    pub source: Source,
    /// Statuses that count as success.
    pub healthy: StatusSet,
    /// Statuses that count as failure.
    pub unhealthy: StatusSet,
    /// Successes in a row that bring an address back.
    pub successes: u8,
    /// Failures by status that put it out.
    pub http_failures: u8,
    /// Failures of connections that put it out.
    pub tcp_failures: u8,
    /// Timeouts that put it out.
    pub timeouts: u8,
}

impl Check {
    /// Rules that never change anything.
    #[must_use]
    pub fn off(source: Source) -> Self {
        Self {
            source,
            healthy: StatusSet::default(),
            unhealthy: StatusSet::default(),
            successes: 0,
            http_failures: 0,
            tcp_failures: 0,
            timeouts: 0,
        }
    }

    /// Whether no result can change anything.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.successes == 0
            && self.http_failures == 0
            && self.tcp_failures == 0
            && self.timeouts == 0
    }
}
