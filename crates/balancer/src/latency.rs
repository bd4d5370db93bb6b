//! Latency: the address that answered fastest of late.

use std::rc::Rc;

use crate::{address::Address, seat::Seat};

/// Seconds in which an old measurement loses most of its weight.
const DECAY_SECONDS: f64 = 10.0;

/// What is known of how long an address takes.
///
/// `Compat:` the mean is weighted exponentially over time, and decays towards zero while there is no traffic, so
/// that a slow address gets another chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Score {
    /// Microseconds.
    mean: f64,
    /// When it was last touched, in microseconds of the core's clock.
    touched: u64,
}

impl Score {
    /// A score that nobody has measured.
    pub(crate) const fn assumed(mean: f64, now: u64) -> Self {
        Self { mean, touched: now }
    }

    /// The mean as it was last touched.
    pub(crate) const fn mean(self) -> f64 {
        self.mean
    }

    /// The mean now.
    pub(crate) fn at(self, now: u64) -> f64 {
        self.mean * self.kept(now)
    }

    /// After another measurement.
    #[must_use]
    pub(crate) fn with(self, took: u64, now: u64) -> Self {
        let kept = self.kept(now);
        let mean = self.mean * kept + float(took) * (1.0 - kept);
        Self { mean, touched: now }
    }

    /// Which part of the mean is left.
    fn kept(self, now: u64) -> f64 {
        let seconds = float(now.saturating_sub(self.touched)) / 1_000_000.0;
        (-seconds / DECAY_SECONDS).exp()
    }
}

/// Exact up to 49 days in microseconds; beyond that it is all the same.
fn float(micros: u64) -> f64 {
    f64::from(u32::try_from(micros / 1000).unwrap_or(u32::MAX)) * 1000.0
        + f64::from(u32::try_from(micros % 1000).unwrap_or(0))
}

/// The address with the lowest score for its weight among those that are wanted. Equal ones take turns.
pub(crate) fn pick(
    addresses: &[Address],
    seats: &[Rc<Seat>],
    (pointer, now): (&mut usize, u64),
    is_wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let start = pointer.checked_rem(addresses.len())?;
    let order = (start..addresses.len()).chain(0..start);
    let mut best: Option<(f64, usize)> = None;
    for index in order.filter(|index| is_wanted(*index)) {
        let (Some(address), Some(seat)) = (addresses.get(index), seats.get(index)) else {
            continue;
        };
        let score = seat.score().at(now) / f64::from(address.weight.max(1));
        if best.is_none_or(|(lowest, _)| score < lowest) {
            best = Some((score, index));
        }
    }
    let (_, index) = best?;
    *pointer = index + 1;
    Some(index)
}
