//! Wall-clock time. It can jump; intervals are measured elsewhere.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

thread_local! {
    static FROZEN_MICROS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Holds time still on this thread until it is dropped.
#[derive(Debug)]
pub struct Frozen {
    previous: Option<u64>,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        FROZEN_MICROS.set(self.previous);
    }
}

/// Holds time still on the calling thread at `unix_millis` milliseconds after the epoch.
#[must_use = "time moves again as soon as the guard is dropped"]
pub fn freeze(unix_millis: u64) -> Frozen {
    let previous = FROZEN_MICROS.replace(Some(unix_millis.saturating_mul(1000)));
    Frozen { previous }
}

/// Microseconds since the Unix epoch; zero if the machine's clock stands before it.
#[must_use]
pub fn unix_micros() -> u64 {
    FROZEN_MICROS.get().unwrap_or_else(machine_micros)
}

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn unix_millis() -> u64 {
    unix_micros() / 1000
}

/// Whole seconds since the Unix epoch.
#[must_use]
pub fn unix_seconds() -> u64 {
    unix_micros() / 1_000_000
}

/// Renders milliseconds since the epoch as RFC 3339 in UTC with three decimals, such as
/// `2026-01-05T09:15:22.118Z`. A moment outside the calendar's range renders as the epoch.
#[must_use]
pub fn rfc3339_millis(unix_millis: u64) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment(unix_millis)
        .format(&format)
        .unwrap_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned())
}

/// Reads an RFC 3339 moment into milliseconds since the epoch; `None` when it is not one or
/// lies before the epoch.
#[must_use]
pub fn parse_rfc3339_millis(text: &str) -> Option<u64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Renders seconds since the epoch as an HTTP date (RFC 9110 section 5.6.7), such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn http_date(unix_seconds: u64) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    moment(unix_seconds.saturating_mul(1000))
        .format(&format)
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned())
}

fn moment(unix_millis: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door the rule points to"
)]
fn machine_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_time_stands_still_and_moves_again() {
        let guard = freeze(1_700_000_000_123);
        assert_eq!(unix_millis(), 1_700_000_000_123);
        assert_eq!(unix_seconds(), 1_700_000_000);
        drop(guard);
        assert!(unix_millis() > 1_700_000_000_123);
    }

    #[test]
    fn rfc3339_has_three_decimals_and_reads_back() {
        assert_eq!(
            rfc3339_millis(1_767_604_522_118),
            "2026-01-05T09:15:22.118Z"
        );
        assert_eq!(
            parse_rfc3339_millis("2026-01-05T09:15:22.118Z"),
            Some(1_767_604_522_118)
        );
        assert_eq!(parse_rfc3339_millis("yesterday"), None);
    }

    #[test]
    fn http_dates_follow_rfc_9110() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
