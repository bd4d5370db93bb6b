//! Consistent hashing: a ring of points that addresses own.

use crate::{address::Address, hash::xxhash32, state::PickState};

/// Fewest points of a ring.
const MIN_POINTS: usize = 1000;
/// Points of an address when all weights are equal.
const POINTS_PER_ADDRESS: u64 = 160;
/// A point that nobody owns.
const FREE: u32 = u32::MAX;

/// The ring.
#[derive(Debug)]
pub(crate) struct Ring {
    points: Vec<u32>,
}

impl Ring {
    /// Builds the ring with `slots` points.
    ///
    /// `Compat:` placed as in the reference, so that a client keeps its target when a node is replaced by one of
    /// the other kind. The reference hashes the resolved address; a target given as a name is hashed by its name
    /// here.
    pub(crate) fn new(addresses: &[Address], slots: u32) -> Self {
        let size = usize::try_from(slots).unwrap_or(MIN_POINTS).max(MIN_POINTS);
        let mut ring = Self {
            points: vec![FREE; size],
        };
        let mut order: Vec<&Address> = addresses.iter().collect();
        order.sort_by(|a, b| (&a.host, a.port).cmp(&(&b.host, b.port)));
        let total: u64 = addresses
            .iter()
            .map(|address| u64::from(address.weight))
            .sum();
        let count = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
        let mut free = size;
        for address in order.into_iter().filter(|address| address.weight > 0) {
            let share = u64::from(address.weight) * count * POINTS_PER_ADDRESS;
            let mut wanted = share.checked_div(total).unwrap_or(0).max(1);
            let mut number = 1_u64;
            while wanted > 0 && free > 0 {
                let text = format!("{}::{} {number}", address.host, address.port);
                number += 1;
                let at = ring.place(xxhash32(text.as_bytes()));
                if ring.points[at] == FREE {
                    ring.points[at] = u32::try_from(address.index).unwrap_or(FREE);
                    wanted -= 1;
                    free -= 1;
                }
            }
        }
        ring
    }

    fn place(&self, hash: u32) -> usize {
        hash as usize % self.points.len()
    }

    /// The owner of the nearest point at or below the hash that has not failed in this request.
    pub(crate) fn pick(&self, hash: u32, request: &mut PickState) -> Option<usize> {
        let found = self.walk(hash, |index| !request.has_failed(index));
        if found.is_some() {
            return found;
        }
        request.forget_failures();
        self.walk(hash, |_| true)
    }

    fn walk(&self, hash: u32, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let start = self.place(hash);
        let (above, below) = (self.points.get(start + 1..)?, self.points.get(..=start)?);
        below
            .iter()
            .rev()
            .chain(above.iter().rev())
            .filter(|index| **index != FREE)
            .map(|index| *index as usize)
            .find(|index| is_wanted(*index))
    }
}
