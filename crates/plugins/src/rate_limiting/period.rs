//! Windows of time: from a second to a year, aligned to the calendar in UTC.

/// Length class of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Period {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
    /// A calendar year in UTC.
    Year,
}

impl Period {
    /// All, shortest first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Year,
    ];

    /// Number of periods.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Name of the configuration field.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Position in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Nominal length in seconds; a month counts thirty days and a year 365.
    ///
    /// Compat: the remaining time told to clients is computed from these.
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => DAY_SECONDS,
            Self::Month => 30 * DAY_SECONDS,
            Self::Year => 365 * DAY_SECONDS,
        }
    }

    /// Milliseconds after which a window is over in any calendar.
    pub(crate) const fn longest_ms(self) -> u64 {
        match self {
            Self::Month => 31 * DAY_SECONDS * 1000,
            Self::Year => 366 * DAY_SECONDS * 1000,
            _ => self.seconds() * 1000,
        }
    }

    /// Unix milliseconds at which the window of a moment began.
    pub(crate) const fn start_ms(self, now_ms: u64) -> u64 {
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::Day => {
                let length_ms = self.seconds() * 1000;
                now_ms - now_ms % length_ms
            }
            Self::Month | Self::Year => self.calendar_start_ms(now_ms),
        }
    }

    const fn calendar_start_ms(self, now_ms: u64) -> u64 {
        let mut days_left = now_ms / (DAY_SECONDS * 1000);
        let mut days_before = 0;
        // Whole cycles of 400 years first; the walk below is then short. 1970 lies thirty years
        // before a cycle begins, so cycles are counted from 1970 as well: any 400 years have the
        // same number of days.
        let cycles = days_left / CYCLE_DAYS;
        days_before += cycles * CYCLE_DAYS;
        days_left -= cycles * CYCLE_DAYS;
        let mut year = 1970 + cycles * 400;
        while days_left >= year_days(year) {
            days_left -= year_days(year);
            days_before += year_days(year);
            year += 1;
        }
        if let Self::Month = self {
            let mut month = 0;
            while days_left >= month_days(year, month) {
                days_left -= month_days(year, month);
                days_before += month_days(year, month);
                month += 1;
            }
        }
        days_before * DAY_SECONDS * 1000
    }
}

const DAY_SECONDS: u64 = 86_400;

/// Days in 400 years of the Gregorian calendar.
const CYCLE_DAYS: u64 = 146_097;

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

const fn year_days(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

/// Days of a month, counted from zero.
const fn month_days(year: u64, month: u64) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}
