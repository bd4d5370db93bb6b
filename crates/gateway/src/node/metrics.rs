//! The metrics of a node: what plugins counted, and what the node tells of itself.

use std::sync::Arc;

use plugins::prometheus::{Figures, exposition};

use crate::snapshot::Compile;
use crate::status::{Counters, Metrics, resident_bytes};

/// Renders the metrics of a node.
pub(super) fn metrics(compile: Arc<Compile>) -> Metrics {
    Box::new(move |is_database_reachable, counters: Counters| {
        let figures = Figures {
            node_id: compile.node.id,
            version: plugin_api::COMPATIBLE_VERSION.to_owned(),
            accepted: counters.connections_accepted,
            handled: counters.connections_handled,
            active: counters.connections_active,
            reading: counters.connections_reading,
            writing: counters.connections_writing,
            waiting: counters.connections_waiting,
            requests: counters.total_requests,
            is_database_reachable,
            memory: resident_bytes(),
            ..Figures::default()
        };
        exposition(&compile.shared, &figures)
    })
}
