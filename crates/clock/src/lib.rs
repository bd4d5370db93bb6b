//! Time and ids behind one door, so that tests can hold both still.
//!
//! Everything that needs wall-clock time, an id or random bytes asks here. Waiting and
//! measuring durations is not this room's business: use tokio's timers, which a paused
//! runtime controls.

mod ids;
mod wall;

pub use ids::{hex_id, new_uuid, random_alphanumeric, random_bytes};
pub use wall::{
    Frozen, freeze, http_date, parse_rfc3339_millis, rfc3339_millis, unix_micros, unix_millis,
    unix_seconds,
};
