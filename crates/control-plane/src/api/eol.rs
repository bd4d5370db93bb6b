//! Until when the reference gateway's releases are maintained, to name nodes that run older ones.

/// Minor releases of version 3 and the last day of their maintenance in Unix seconds.
///
/// Compat: the published support dates; long-term releases have three years.
const ENDS: [(u64, u64); 10] = [
    (0, 1_696_118_399), // 2023-09-30
    (1, 1_703_980_799), // 2023-12-30
    (2, 1_709_164_799), // 2024-02-28
    (3, 1_716_422_399), // 2024-05-22
    (4, 1_788_220_799), // 2026-08-31
    (5, 1_731_110_399), // 2024-11-08
    (6, 1_739_318_399), // 2025-02-11
    (7, 1_748_390_399), // 2025-05-27
    (8, 1_757_635_199), // 2025-09-11
    (9, 1_765_497_599), // 2025-12-11
];

/// A sentence about a version that is no longer maintained at `now` (Unix seconds).
pub(super) fn message(version: &str, now: u64) -> Option<String> {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return None;
    };
    let is_over = match major {
        0..3 => true,
        3 => ENDS
            .iter()
            .any(|(known, end)| *known == minor && *end < now),
        _ => false,
    };
    is_over.then(|| {
        format!("release {major}.{minor} is no longer maintained; update the node to a current one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_past_their_maintenance_are_named() {
        let now = 1_767_225_600; // 2026-01-01
        assert!(message("2.8.5", now).is_some());
        assert!(message("3.9.1", now).is_some());
        assert!(message("3.0.0.1", now).is_some());
        assert_eq!(message("3.4.3.12", now), None);
        assert_eq!(message("3.10.0.1", now), None);
        assert_eq!(message("unknown", now), None);
        assert_eq!(message("", now), None);
    }
}
