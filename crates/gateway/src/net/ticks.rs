//! Time of a core: one monotonic reading serves everything that happens in the same moment.

use std::cell::Cell;

use tokio::time::Instant;

/// How long the offset to wall-clock time is trusted, in microseconds.
const WALL_INTERVAL: u64 = 1_000_000;

/// Monotonic microseconds since the core began, and what they mean on the wall.
#[derive(Debug)]
pub(crate) struct Ticks {
    began: Instant,
    recent: Cell<u64>,
    wall_offset: Cell<u64>,
    wall_read_at: Cell<u64>,
}

impl Ticks {
    /// Starts counting.
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            recent: Cell::new(0),
            wall_offset: Cell::new(clock::unix_micros()),
            wall_read_at: Cell::new(0),
        }
    }

    /// Reads the clock, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        let since = self.began.elapsed();
        let now = since.as_secs() * 1_000_000 + u64::from(since.subsec_micros());
        self.recent.set(now);
        now
    }

    /// The last reading, without reading again.
    pub(crate) fn recent(&self) -> u64 {
        self.recent.get()
    }

    /// Wall-clock microseconds since the epoch of a recent reading. The offset is renewed once a
    /// second, so a clock that was set is followed.
    pub(crate) fn unix_micros(&self, reading: u64) -> u64 {
        if reading.saturating_sub(self.wall_read_at.get()) >= WALL_INTERVAL {
            self.wall_read_at.set(reading);
            self.wall_offset
                .set(clock::unix_micros().saturating_sub(reading));
        }
        self.wall_offset.get() + reading
    }

    /// The monotonic moment of a reading.
    pub(crate) fn instant(&self, reading: u64) -> Instant {
        self.began + std::time::Duration::from_micros(reading)
    }
}
