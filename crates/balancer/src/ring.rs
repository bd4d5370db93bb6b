//! Consistent hashing: a ring of points that addresses own.

use crate::{address::Address, hash::xxhash32};

/// Fewest points of a ring.
const MIN_POINTS: usize = 1000;
/// Points of a target when all weights are equal.
const POINTS_PER_TARGET: u64 = 160;
/// A point that nobody owns.
const FREE: u32 = u32::MAX;

/// The ring.
#[derive(Debug)]
pub(crate) struct Ring {
    points: Vec<u32>,
}

impl Ring {
    /// Builds the ring with `slots` points for the addresses of so many targets.
    ///
    /// `Compat:` placed as in the reference, so that a client keeps its target when a node is replaced by one of
    /// the other kind. Addresses that are out keep their points.
    pub(crate) fn new(addresses: &[Address], targets: usize, slots: u32) -> Self {
        let size = usize::try_from(slots).unwrap_or(MIN_POINTS).max(MIN_POINTS);
        let mut ring = Self {
            points: vec![FREE; size],
        };
        let mut order: Vec<_> = (0_u32..)
            .zip(addresses)
            .map(|(index, address)| {
                let key = (&address.host, address.port);
                (key, address.ip_text(), index, address)
            })
            .collect();
        order.sort_by(|a, b| (a.0, &a.1, a.3.socket.port()).cmp(&(b.0, &b.1, b.3.socket.port())));
        let total: u64 = addresses
            .iter()
            .map(|address| u64::from(address.weight))
            .sum();
        let count = u64::try_from(targets).unwrap_or(u64::MAX);
        let mut free = size;
        for (_, ip, index, address) in order.into_iter().filter(|order| order.3.has_weight()) {
            let share = u64::from(address.weight) * count * POINTS_PER_TARGET;
            let mut wanted = share.checked_div(total).unwrap_or(0).max(1);
            let mut number = 1_u64;
            while wanted > 0 && free > 0 {
                let text = format!("{ip}::{} {number}", address.socket.port());
                number += 1;
                let at = ring.place(xxhash32(text.as_bytes()));
                if ring.points[at] == FREE {
                    ring.points[at] = index;
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

    /// The owner of the nearest point at or below the hash that is wanted, among the nearest `most` owned ones.
    pub(crate) fn pick(
        &self,
        hash: u32,
        most: usize,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let start = self.place(hash);
        let (above, below) = (self.points.get(start + 1..)?, self.points.get(..=start)?);
        below
            .iter()
            .rev()
            .chain(above.iter().rev())
            .filter(|index| **index != FREE)
            .take(most)
            .map(|index| *index as usize)
            .find(|index| is_wanted(*index))
    }
}
