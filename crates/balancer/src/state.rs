//! What changes while requests are balanced.

/// How many failed targets a request remembers; a request with more tries may meet an early one again.
const MAX_REMEMBERED: usize = 256;

/// The state that one core keeps for one balancer. Made by [`crate::Balancer::core_state`]; not shared.
#[derive(Debug, Clone, Default)]
pub struct CoreState {
    /// Next slot of the wheel.
    pub(crate) pointer: usize,
    /// Open requests of each address; only filled for least-connections.
    pub(crate) open: Vec<u32>,
}

/// The state of one request: what it is hashed by, where it went, and what failed.
#[derive(Debug, Clone, Default)]
pub struct PickState {
    pub(crate) hash: Option<u32>,
    pub(crate) current: Option<usize>,
    failed: Vec<usize>,
    tries: u32,
}

impl PickState {
    /// A request without hash input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A request whose hash input has this [`crate::xxhash32`].
    #[must_use]
    pub fn hashed(hash: u32) -> Self {
        Self {
            hash: Some(hash),
            ..Self::default()
        }
    }

    /// How many targets were picked so far.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// The address that was picked last, as an index of [`crate::Balancer::addresses`].
    #[must_use]
    pub const fn current(&self) -> Option<usize> {
        self.current
    }

    pub(crate) fn has_failed(&self, index: usize) -> bool {
        self.failed.contains(&index)
    }

    /// Takes note that the current target failed.
    pub(crate) fn fail_current(&mut self) -> Option<usize> {
        let index = self.current.take()?;
        if !self.has_failed(index) && self.failed.len() < MAX_REMEMBERED {
            self.failed.push(index);
        }
        Some(index)
    }

    /// Every target has failed: all may be tried again.
    pub(crate) fn forget_failures(&mut self) {
        self.failed.clear();
    }

    pub(crate) fn take(&mut self, index: usize) {
        self.current = Some(index);
        self.tries = self.tries.saturating_add(1);
    }
}
