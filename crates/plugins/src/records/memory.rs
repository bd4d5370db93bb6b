//! The named memories of the reference's nodes.
//!
//! Nodes of Gatehouse have no such thing; the names are told apart so that a configuration which
//! the reference would refuse is refused here too.

const NAMES: [&str; 12] = [
    "kong",
    "kong_cluster_events",
    "kong_core_db_cache",
    "kong_core_db_cache_miss",
    "kong_db_cache",
    "kong_db_cache_miss",
    "kong_healthchecks",
    "kong_locks",
    "kong_rate_limiting_counters",
    "kong_secrets",
    "kong_upstreams",
    "prometheus_metrics",
];

/// Whether the reference's nodes have such a memory.
pub(crate) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}
