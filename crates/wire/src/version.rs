//! Version numbers as nodes report them: `3.9.1`, `3.9.1.1`, `3.10.0-dev`.

use std::fmt;

/// A node's version: three leading numbers, a fourth for the enterprise edition; what follows
/// is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
    /// Fourth number; present only in versions of the enterprise edition.
    pub build: Option<u16>,
}

impl Version {
    /// A version of three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
            build: None,
        }
    }

    /// Reads a version; `None` unless the text starts with three numbers below 1000 joined by
    /// dots. A suffix such as `-dev` or `rc1` is ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = number(text)?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        let (patch, rest) = number(rest.strip_prefix('.')?)?;
        let build = rest.strip_prefix('.').and_then(number).map(|(n, _)| n);
        Some(Self {
            major,
            minor,
            patch,
            build,
        })
    }

    /// Whether it is a version of the enterprise edition (four numbers).
    #[must_use]
    pub const fn is_enterprise(self) -> bool {
        self.build.is_some()
    }

    /// Whether it is older than the first release of `major.minor`.
    #[must_use]
    pub fn is_before(self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) < (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        self.build.map_or(Ok(()), |build| write!(f, ".{build}"))
    }
}

fn number(text: &str) -> Option<(u16, &str)> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    let value = text[..end].parse().ok().filter(|n| *n < 1000)?;
    Some((value, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_and_four_parts_are_read_and_suffixes_ignored() {
        assert_eq!(Version::parse("3.9.1"), Some(Version::new(3, 9, 1)));
        assert_eq!(Version::parse("3.10.0-dev"), Some(Version::new(3, 10, 0)));
        let enterprise = Version::parse("3.9.1.2-enterprise").unwrap();
        assert_eq!(
            (enterprise.build, enterprise.is_enterprise()),
            (Some(2), true)
        );
        assert_eq!(enterprise.to_string(), "3.9.1.2");
    }

    #[test]
    fn anything_without_three_numbers_is_no_version() {
        for text in [
            "", "3", "3.9", "3.9.", "x3.9.1", "3.-1.0", "3.9999.0", "٣.9.1",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_numeric() {
        let [a, b, c] = ["3.9.9", "3.10.0", "3.10.0.1"].map(|t| Version::parse(t).unwrap());
        assert!(a < b && b < c);
        assert!(a.is_before(3, 10) && !b.is_before(3, 10));
    }
}
