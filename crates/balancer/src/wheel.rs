//! Weighted round-robin: a list in which each address stands as often as its weight says.

use crate::address::Address;

/// Most slots of a wheel, unless there are more addresses. Greater sums of weights are scaled down, which keeps
/// every address with a weight in the wheel and the shares right to about one slot.
const MAX_SLOTS: u64 = 1 << 16;

/// The wheel: indices of addresses in the order of their turns.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<u32>,
}

impl Wheel {
    /// Builds the wheel. The turns of an address are spread evenly over it, so that no address gets a burst.
    pub(crate) fn new(addresses: &[Address]) -> Self {
        let common = addresses
            .iter()
            .fold(0, |sum, address| gcd(sum, u64::from(address.weight)));
        let total: u64 = addresses
            .iter()
            .map(|address| u64::from(address.weight))
            .sum();
        let total = total / common.max(1);
        let mut turns = Vec::new();
        for (index, address) in (0_u32..).zip(addresses) {
            let weight = u64::from(address.weight) / common.max(1);
            let count = match (weight, total <= MAX_SLOTS) {
                (0, _) | (_, true) => weight,
                (_, false) => (weight * MAX_SLOTS / total).max(1),
            };
            // The turn `n` of `count` belongs at the fraction (2n + 1) / 2count of the wheel.
            turns.extend((0..count).map(|n| (((2 * n + 1) << 32) / (2 * count), index)));
        }
        turns.sort_unstable();
        Self {
            slots: turns.into_iter().map(|(_, index)| index).collect(),
        }
    }

    /// Where a core begins, so that several cores do not move in step.
    pub(crate) fn start(&self, core: usize) -> usize {
        // The golden ratio spreads any number of cores well.
        const STEP: usize = 40_503;
        core.wrapping_mul(STEP)
            .checked_rem(self.slots.len())
            .unwrap_or(0)
    }

    /// The next address that is wanted, from `pointer` on, which moves by at most `most` turns.
    pub(crate) fn pick(
        &self,
        pointer: &mut usize,
        most: usize,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        for _ in 0..self.slots.len().min(most) {
            let slot = pointer.checked_rem(self.slots.len())?;
            *pointer = slot + 1;
            let index = self.slots.get(slot).map(|index| *index as usize)?;
            if is_wanted(index) {
                return Some(index);
            }
        }
        None
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
