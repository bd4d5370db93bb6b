//! Times in buckets.

/// Upper bounds of the times in the gateway itself, milliseconds.
pub(super) const GATEWAY: &[u64] = &[
    1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000,
];

/// Upper bounds of the times of requests and of services, milliseconds.
pub(super) const REQUEST: &[u64] = &[
    25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000,
];

/// Upper bounds of the times of language models, milliseconds.
pub(super) const MODEL: &[u64] = &[
    250, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 10_000, 30_000, 60_000,
];

/// How many observations fell under each bound.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    bounds: &'static [u64],
    /// By bucket, the one without a bound last; not yet summed up.
    counts: Box<[u64]>,
    sum: u64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1].into(),
            sum: 0,
        }
    }

    /// Notes a time.
    pub(super) fn observe(&mut self, milliseconds: u64) {
        let at = self.bounds.partition_point(|bound| *bound < milliseconds);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(milliseconds);
    }

    /// Adds what another one of the same bounds holds.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// The buckets as they are told: bound (none for the last), and all observations up to it.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().map(|bound| Some(*bound));
        let mut total = 0;
        bounds
            .chain([None])
            .zip(&self.counts)
            .map(move |(bound, count)| {
                total += count;
                (bound, total)
            })
    }

    /// All times together, milliseconds.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// Number of observations.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_up_to_its_bound_and_in_all_above() {
        let mut times = Histogram::new(&[10, 20]);
        for time in [0, 10, 11, 20, 21] {
            times.observe(time);
        }
        let mut twice = times.clone();
        twice.merge(&times);
        let buckets: Vec<_> = twice.buckets().collect();
        assert_eq!(buckets, [(Some(10), 4), (Some(20), 8), (None, 10)]);
        assert_eq!((twice.sum(), twice.count()), (124, 10));
    }
}
