//! What a client is told about its limits.

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use plugin_api::HeaderEdits;

use super::counters::Usage;
use super::period::Period;

/// Room for the digits of usual limits.
const NUMBERS_ROOM: usize = 64;

/// Writes the headers of an answer: both of each limit, and those of the limit with the least
/// left (of equals, the longer period).
///
/// Compat: names, numbers and that `Retry-After` equals `RateLimit-Reset`. Names that all
/// limiters of a request share are overwritten by the later one.
pub(super) fn write(
    headers: &mut HeaderEdits,
    limits: &[(Period, f64)],
    usage: &Usage,
    now_ms: u64,
) {
    let mut numbers = Numbers {
        text: Vec::with_capacity(NUMBERS_ROOM),
    };
    let mut tightest: Option<Left> = None;
    let mut lines = Vec::with_capacity(2 * limits.len() + 4);
    for (at, (period, limit)) in limits.iter().enumerate().take(Period::COUNT) {
        let left = left(usage, at, *limit);
        lines.push((limit_name(*period), numbers.push(*limit)));
        lines.push((remaining_name(*period), numbers.push(left)));
        if tightest.is_none_or(|tightest| left <= tightest.left) {
            tightest = Some(Left {
                period: *period,
                limit: *limit,
                left,
            });
        }
    }
    let Some(tightest) = tightest else { return };
    let reset = numbers.push(reset_seconds(tightest.period, now_ms));
    lines.push(("RateLimit-Limit", numbers.push(tightest.limit)));
    lines.push(("RateLimit-Remaining", numbers.push(tightest.left)));
    lines.push(("RateLimit-Reset", reset.clone()));
    if usage.exceeded.is_some() {
        lines.push(("Retry-After", reset));
    }
    let numbers = Bytes::from(numbers.text);
    for (name, range) in lines {
        headers.set(name, numbers.slice(range));
    }
}

#[derive(Clone, Copy)]
struct Left {
    period: Period,
    limit: f64,
    left: f64,
}

/// What is left of a limit after this request. A refused request takes nothing from the limits
/// that did not refuse it.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 requests are out of reach"
)]
fn left(usage: &Usage, at: usize, limit: f64) -> f64 {
    let is_counted = usage.exceeded.is_none_or(|exceeded| exceeded == at);
    let this = if is_counted { 1.0 } else { 0.0 };
    (limit - usage.counts[at] as f64 - this).max(0.0)
}

/// Seconds until the window is over, at least one.
#[expect(clippy::cast_precision_loss, reason = "at most the seconds of a year")]
fn reset_seconds(period: Period, now_ms: u64) -> f64 {
    let elapsed = (now_ms - period.start_ms(now_ms)) / 1000;
    period.seconds().saturating_sub(elapsed).max(1) as f64
}

/// All numbers of an answer in one buffer, so that they cost one allocation.
struct Numbers {
    text: Vec<u8>,
}

impl Numbers {
    /// Appends a number; fourteen digits at most, no trailing zeros.
    fn push(&mut self, number: f64) -> Range<usize> {
        let start = self.text.len();
        if let Some(whole) = whole(number) {
            // The usual case: printing a fraction takes a hundred times as long.
            let mut digits = itoa::Buffer::new();
            self.text.extend_from_slice(digits.format(whole).as_bytes());
        } else if number.fract() == 0.0 {
            // Writing to a vector cannot fail.
            let _ = write!(self.text, "{number:.0}");
        } else {
            let rounded: f64 = format!("{number:.13e}").parse().unwrap_or(number);
            let _ = write!(self.text, "{rounded}");
        }
        start..self.text.len()
    }
}

/// A number as an integer, if it is one that every float of its size can be.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "what does not come back as it was is no integer of this range"
)]
pub(super) fn whole(number: f64) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    let is_in_range = (0.0..=MOST).contains(&number);
    let integer = if is_in_range { number as u64 } else { 0 };
    (is_in_range && integer as f64 == number).then_some(integer)
}

const fn limit_name(period: Period) -> &'static str {
    match period {
        Period::Second => "X-RateLimit-Limit-Second",
        Period::Minute => "X-RateLimit-Limit-Minute",
        Period::Hour => "X-RateLimit-Limit-Hour",
        Period::Day => "X-RateLimit-Limit-Day",
        Period::Month => "X-RateLimit-Limit-Month",
        Period::Year => "X-RateLimit-Limit-Year",
    }
}

const fn remaining_name(period: Period) -> &'static str {
    match period {
        Period::Second => "X-RateLimit-Remaining-Second",
        Period::Minute => "X-RateLimit-Remaining-Minute",
        Period::Hour => "X-RateLimit-Remaining-Hour",
        Period::Day => "X-RateLimit-Remaining-Day",
        Period::Month => "X-RateLimit-Remaining-Month",
        Period::Year => "X-RateLimit-Remaining-Year",
    }
}
