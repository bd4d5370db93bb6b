//! Which limits contradict each other.

use serde_json::Value;

use crate::records::periods::contradiction;

/// Refuses limits that a longer period makes unreachable.
///
/// Compat: text of the reference.
pub(super) fn shorter_periods_allow_less(limits: &Value) -> Result<(), String> {
    match contradiction(limits) {
        Some([(long, more), (short, fewer)]) => Err(format!(
            "the limit for {long}({more:.1}) cannot be lower than the limit for {short}({fewer:.1})"
        )),
        None => Ok(()),
    }
}
