//! Which numbers of a stream were kept: the highest, and the 64 up to it.

/// How far back a number may arrive late.
pub(super) const REACH: u64 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) highest: u64,
    /// Bit n stands for `highest - n`.
    pub(super) seen: u64,
}

impl Window {
    /// Notes a number. Gives the window after it, whether the number is new, and by how much the
    /// count of missing numbers changes: it rises by those leapt over and falls by one that comes
    /// late.
    pub(super) fn note(known: Option<Self>, number: u64) -> (Self, bool, i64) {
        let Some(window) = known else {
            return Self::begin(number);
        };
        if let Some(leap) = number.checked_sub(window.highest)
            && leap > 0
        {
            let shifted = if leap < REACH { window.seen << leap } else { 0 };
            return (
                Self {
                    highest: number,
                    seen: shifted | 1,
                },
                true,
                clamped(leap - 1),
            );
        }
        let back = window.highest - number;
        if back >= REACH || window.seen & (1 << back) != 0 {
            return (window, false, 0);
        }
        (
            Self {
                seen: window.seen | (1 << back),
                ..window
            },
            true,
            -1,
        )
    }

    /// A stream that is not known. One that is already far on was forgotten here, or began
    /// elsewhere: what came before is not missing, and not expected any more.
    fn begin(number: u64) -> (Self, bool, i64) {
        if number <= REACH {
            (
                Self {
                    highest: number,
                    seen: 1,
                },
                true,
                clamped(number.saturating_sub(1)),
            )
        } else {
            (
                Self {
                    highest: number,
                    seen: u64::MAX,
                },
                true,
                0,
            )
        }
    }
}

/// A node may claim any number; the sum of many has to stay one.
fn clamped(count: u64) -> i64 {
    i64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(numbers: &[u64]) -> (Vec<bool>, i64) {
        let (mut window, mut missing) = (None, 0);
        let news = numbers.iter().map(|number| {
            let (next, is_new, change) = Window::note(window, *number);
            window = Some(next);
            missing += change;
            is_new
        });
        (news.collect(), missing)
    }

    #[test]
    fn repeats_are_known_and_gaps_are_counted() {
        assert_eq!(
            run(&[1, 2, 2, 1, 3]),
            (vec![true, true, false, false, true], 0)
        );
        assert_eq!(run(&[1, 4]), (vec![true, true], 2));
        assert_eq!(
            run(&[1, 4, 2, 2, 3]),
            (vec![true, true, true, false, true], 0)
        );
        assert_eq!(run(&[2, 1]), (vec![true, true], 0));
        assert_eq!(run(&[1, 100, 37, 36]), (vec![true, true, true, false], 97));
    }

    #[test]
    fn stream_that_is_far_on_misses_nothing() {
        assert_eq!(run(&[5_000, 4_999, 5_001]), (vec![true, false, true], 0));
    }

    #[test]
    fn absurd_numbers_are_borne() {
        let (news, missing) = run(&[0, 0, 1, u64::MAX, u64::MAX, 1, u64::MAX - 1]);
        assert_eq!(news, [true, false, true, true, false, false, true]);
        assert_eq!(missing, i64::from(u32::MAX) - 1);
    }

    proptest! {
        #[test]
        fn number_within_reach_is_new_exactly_once(
            numbers in prop::collection::vec(1..=60_u64, 1..200),
        ) {
            let (news, missing) = run(&numbers);
            let mut seen = std::collections::HashSet::new();
            for (number, is_new) in numbers.iter().zip(news) {
                prop_assert_eq!(is_new, seen.insert(*number));
            }
            let highest = *numbers.iter().max().unwrap();
            prop_assert_eq!(missing, i64::try_from(highest).unwrap() - i64::try_from(seen.len()).unwrap());
        }
    }
}
