//! Least connections: the address with the fewest open requests for its weight.

use std::rc::Rc;

use crate::{address::Address, seat::Seat};

/// The address with the smallest (open requests + 1) / weight among those that are wanted; the first of equals.
pub(crate) fn pick(
    addresses: &[Address],
    seats: &[Rc<Seat>],
    is_wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let load = |seat: &Seat| u64::from(seat.open()) + 1;
    addresses
        .iter()
        .zip(seats)
        .enumerate()
        .filter(|(index, _)| is_wanted(*index))
        // a.load / a.weight against b.load / b.weight, without a division.
        .min_by(|(_, (a, a_seat)), (_, (b, b_seat))| {
            let (a_load, b_load) = (load(a_seat), load(b_seat));
            (a_load * u64::from(b.weight)).cmp(&(b_load * u64::from(a.weight)))
        })
        .map(|(index, _)| index)
}
