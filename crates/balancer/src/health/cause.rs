//! Why an address is out.

use std::fmt;

/// Who saw what made an address go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Probes.
    Probes,
    /// Requests.
    Requests,
}

/// Why an address is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody said so.
    Marked,
    /// Statuses that count as failure; the last of them.
    Status(Source, u16),
    /// Connections that could not be made or broke.
    Connection(Source),
    /// Nothing came in time.
    Timeout(Source),
}

/// Where the status stands in the packed form.
const STATUS_SHIFT: u32 = 4;

impl Cause {
    /// Whether requests put it out.
    #[must_use]
    pub const fn is_by_requests(self) -> bool {
        let (Self::Status(by, _) | Self::Connection(by) | Self::Timeout(by)) = self else {
            return false;
        };
        matches!(by, Source::Requests)
    }

    /// In 16 bits; never zero.
    pub(super) fn pack(self) -> u64 {
        let source = |source| u64::from(source == Source::Requests);
        match self {
            Self::Marked => 1,
            Self::Status(by, status) => (2 + source(by)) | (u64::from(status) << STATUS_SHIFT),
            Self::Connection(by) => 4 + source(by),
            Self::Timeout(by) => 6 + source(by),
        }
    }

    pub(super) fn unpack(packed: u64) -> Option<Self> {
        let source = match packed & 1 {
            0 => Source::Probes,
            _ => Source::Requests,
        };
        let status = u16::try_from((packed >> STATUS_SHIFT) & 0x3ff).unwrap_or(0);
        match packed & 0xf {
            1 => Some(Self::Marked),
            2 | 3 => Some(Self::Status(source, status)),
            4 | 5 => Some(Self::Connection(source)),
            6 | 7 => Some(Self::Timeout(source)),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probes => "probes",
            Self::Requests => "requests",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marked => f.write_str("marked as unhealthy through the Admin API"),
            Self::Status(source, status) => {
                write!(
                    f,
                    "{source} were answered with failures, the last with {status}"
                )
            }
            Self::Connection(source) => {
                write!(f, "{source} got no connection, or one that broke")
            }
            Self::Timeout(source) => write!(f, "{source} were not answered in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_survives_packing() {
        let sources = [Source::Probes, Source::Requests];
        let mut causes = vec![Cause::Marked];
        for source in sources {
            causes.extend([Cause::Connection(source), Cause::Timeout(source)]);
            causes.extend([100, 503, 999].map(|status| Cause::Status(source, status)));
        }
        for cause in causes {
            assert!(cause.pack() < 1 << 16, "{cause}");
            assert_eq!(Cause::unpack(cause.pack()), Some(cause));
        }
        assert_eq!(Cause::unpack(0), None);
    }
}
