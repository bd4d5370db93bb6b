//! Why a request goes where it goes, told by a compiled configuration: for `gatehouse explain`, for
//! `POST /explain` of the status API, and for requests that are permitted to ask.
//!
//! Looks at all routes, so it runs beside the traffic and never on a core of the data path. It sends
//! nothing anywhere and changes nothing.

mod asked;
mod report;
#[cfg(test)]
mod tests;

pub use asked::Asked;
pub use report::{CONSIDERED_MAX, explain};
