//! `gatehouse version`.

use crate::output;

pub(super) fn run() {
    output::print(&format!("gatehouse {}", env!("CARGO_PKG_VERSION")));
}
