//! A small histogram of times that can be merged and stored.
//!
//! Values below 8 have a bucket each; above, every doubling is divided into 8 buckets of equal
//! width, so that a quantile is at most one sixteenth (6.25 %) away from the true value. Empty
//! buckets take no space.

/// Buckets of each doubling.
const PARTS: u64 = 8;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// Larger values count as this one (2^40 microseconds are twelve days).
const LARGEST: u64 = 1 << 40;

/// Counts by size of value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, ascending, no count being 0.
    buckets: Vec<(u16, u64)>,
}

impl Histogram {
    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.add(bucket(value), 1);
    }

    /// Adds all counts of another one.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.add(*bucket, *count);
        }
    }

    fn add(&mut self, bucket: u16, count: u64) {
        match self
            .buckets
            .binary_search_by_key(&bucket, |(index, _)| *index)
        {
            Ok(place) => {
                let entry = &mut self.buckets[place].1;
                *entry = entry.saturating_add(count);
            }
            Err(place) => self.buckets.insert(place, (bucket, count)),
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The value below which a share of all lies, such as 0.95; `None` without values.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a count, kept between 1 and the count"
        )]
        let rank = ((share.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0_u64;
        for (bucket, count) in &self.buckets {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return Some(middle(*bucket));
            }
        }
        None
    }

    /// Writes pairs of distance to the bucket before and count, each as a variable-length number.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 3);
        let mut before = 0;
        for (bucket, count) in &self.buckets {
            write_number(u64::from(*bucket - before), &mut bytes);
            write_number(*count, &mut bytes);
            before = *bucket;
        }
        bytes
    }

    /// Reads what `encode` wrote; `None` when it is something else.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut buckets: Vec<(u16, u64)> = Vec::new();
        while !bytes.is_empty() {
            let distance = u16::try_from(read_number(&mut bytes)?).ok()?;
            let count = read_number(&mut bytes)?;
            let bucket = match buckets.last() {
                Some(_) if distance == 0 => return None,
                Some((last, _)) => last.checked_add(distance)?,
                None => distance,
            };
            if bucket > self::bucket(LARGEST) || count == 0 {
                return None;
            }
            buckets.push((bucket, count));
        }
        Some(Self { buckets })
    }
}

fn bucket(value: u64) -> u16 {
    let value = value.min(LARGEST);
    if value < PARTS {
        return u16::try_from(value).unwrap_or_default();
    }
    let doubling = value.ilog2() - PART_BITS;
    let part = (value >> doubling) - PARTS;
    u16::try_from(u64::from(doubling + 1) * PARTS + part).unwrap_or(u16::MAX)
}

/// The value that stands for a bucket: its middle.
fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < PARTS {
        return bucket;
    }
    let doubling = bucket / PARTS - 1;
    let low = (PARTS + bucket % PARTS) << doubling;
    low + (1 << doubling) / 2
}

fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(byte & 0x7F);
        if shift == 63 && low > 1 {
            return None;
        }
        number |= low << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(*value);
        }
        histogram
    }

    #[test]
    fn buckets_ascend_without_gap() {
        let mut before = 0;
        for value in 1..100_000 {
            let now = bucket(value);
            assert!(now == before || now == before + 1, "{value}");
            before = now;
        }
    }

    #[test]
    fn quantiles_of_known_values() {
        let all: Vec<u64> = (1..=1_000).map(|n| n * 1_000).collect();
        let histogram = of(&all);
        for (share, exact) in [
            (0.0, 1_000),
            (0.5, 500_000),
            (0.95, 950_000),
            (0.99, 990_000),
            (1.0, 1_000_000),
        ] {
            let given = histogram.quantile(share).unwrap();
            assert!(given.abs_diff(exact) * 16 <= exact, "{share}: {given}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(of(&[3]).quantile(0.5), Some(3));
        assert_eq!(of(&[0]).quantile(0.99), Some(0));
    }

    #[test]
    fn absurd_values_count_as_the_largest() {
        let histogram = of(&[u64::MAX, u64::MAX]);
        assert_eq!(histogram.count(), 2);
        let given = histogram.quantile(0.5).unwrap();
        assert!(given.abs_diff(LARGEST) * 16 <= LARGEST);
        assert_eq!(Histogram::decode(&histogram.encode()), Some(histogram));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        for bytes in [
            &[0x80][..],
            &[1],
            &[1, 0],
            &[1, 1, 0, 1],
            &[0xFF; 20],
            &[0xFF, 0xFF, 3, 1],
        ] {
            assert_eq!(Histogram::decode(bytes), None, "{bytes:?}");
        }
        assert_eq!(Histogram::decode(&[]), Some(Histogram::default()));
    }

    proptest! {
        #[test]
        fn stored_form_is_read_back(values in prop::collection::vec(any::<u64>(), 0..200)) {
            let histogram = of(&values);
            prop_assert_eq!(Histogram::decode(&histogram.encode()), Some(histogram));
        }

        #[test]
        fn merging_is_counting_together(
            one in prop::collection::vec(0..1_000_000_u64, 0..100),
            two in prop::collection::vec(0..1_000_000_u64, 0..100),
        ) {
            let mut merged = of(&one);
            merged.merge(&of(&two));
            prop_assert_eq!(merged, of(&[one, two].concat()));
        }

        #[test]
        fn value_is_a_sixteenth_away_at_most(value in 0..LARGEST) {
            let given = of(&[value]).quantile(0.5).unwrap();
            prop_assert!(given.abs_diff(value) * 16 <= value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(histogram) = Histogram::decode(&bytes) {
                prop_assert_eq!(Histogram::decode(&histogram.encode()), Some(histogram));
            }
        }
    }
}
