//! A place to send requests to.

/// One target of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or address, without brackets, as configured.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Share of the traffic; 0 gets none.
    pub weight: u16,
    /// Position in [`crate::Balancer::addresses`].
    pub index: usize,
}
