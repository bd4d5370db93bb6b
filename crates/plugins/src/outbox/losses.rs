//! How many entries never arrived, by plugin.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// By plugin; there are as many as plugins that log.
static LOST: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Records of plugins that were lost since the process started, because too many waited or
/// because they could not be delivered, by name of the plugin. Empty while none was.
#[must_use]
pub fn lost_records() -> Vec<(String, u64)> {
    let lost = LOST.lock();
    lost.iter()
        .map(|(name, count)| (name.clone(), *count))
        .collect()
}

/// Counts lost entries of a courier, whose name begins with that of its plugin.
pub(super) fn count(courier: &str, count: u64) {
    if count > 0 {
        let plugin = courier.split(' ').next().unwrap_or_default();
        *LOST.lock().entry(plugin.to_owned()).or_default() += count;
    }
}
