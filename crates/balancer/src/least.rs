//! Least connections: the address with the fewest open requests for its weight.

use crate::{
    address::Address,
    state::{CoreState, PickState},
};

/// The address with the smallest (open requests + 1) / weight among those that have not failed in this request;
/// among all of them when all have. The first of equals wins.
pub(crate) fn pick(
    addresses: &[Address],
    core: &mut CoreState,
    request: &mut PickState,
) -> Option<usize> {
    let index = smallest(addresses, core, |index| !request.has_failed(index)).or_else(|| {
        request.forget_failures();
        smallest(addresses, core, |_| true)
    })?;
    if let Some(open) = core.open.get_mut(index) {
        *open = open.saturating_add(1);
    }
    Some(index)
}

/// Takes note that a request of `index` is over.
pub(crate) fn release(core: &mut CoreState, index: usize) {
    if let Some(open) = core.open.get_mut(index) {
        *open = open.saturating_sub(1);
    }
}

fn smallest(
    addresses: &[Address],
    core: &CoreState,
    is_wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let load =
        |address: &Address| u64::from(core.open.get(address.index).copied().unwrap_or(0)) + 1;
    addresses
        .iter()
        .filter(|address| address.weight > 0 && is_wanted(address.index))
        // a.load / a.weight against b.load / b.weight, without a division.
        .min_by(|a, b| (load(a) * u64::from(b.weight)).cmp(&(load(b) * u64::from(a.weight))))
        .map(|address| address.index)
}
