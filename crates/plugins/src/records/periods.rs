//! Limits for several periods at once.

use serde_json::Value;

/// Periods a limit may be for, shortest first.
pub(crate) const PERIODS: [&str; 6] = ["second", "minute", "hour", "day", "month", "year"];

/// Finds a period whose limit makes that of a shorter one unreachable: the longer period and its
/// limit, then the shorter and its.
pub(crate) fn contradiction(limits: &Value) -> Option<[(&'static str, f64); 2]> {
    let limit = |period: &str| limits.get(period).and_then(Value::as_f64);
    PERIODS.iter().enumerate().find_map(|(at, short)| {
        let fewer = limit(short)?;
        PERIODS[at + 1..].iter().find_map(|long| {
            let more = limit(long).filter(|more| *more < fewer)?;
            Some([(*long, more), (*short, fewer)])
        })
    })
}
