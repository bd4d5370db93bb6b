//! The metrics of a node: what plugins counted, and what the node tells of itself.

use std::sync::Arc;

use plugins::prometheus::{Figures, TargetHealth, TargetState, exposition, shows_targets};

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
            targets: match shows_targets(&compile.shared) {
                true => targets(&compile),
                false => Vec::new(),
            },
            own: counters.own().to_vec(),
            ..Figures::default()
        };
        exposition(&compile.shared, &figures)
    })
}

/// How the addresses of all targets do.
fn targets(compile: &Compile) -> Vec<TargetHealth> {
    let mut all = Vec::new();
    for (upstream, view) in compile.upstreams.views() {
        for target in &view.targets {
            let one = |address: String, state| TargetHealth {
                upstream: upstream.clone(),
                target: format!("{}:{}", target.host, target.port),
                address,
                state,
            };
            if target.addresses.is_empty() {
                all.push(one(String::new(), TargetState::DnsError));
            }
            all.extend(target.addresses.iter().map(|address| {
                let state = match (view.is_watched, &address.cause) {
                    (_, Some(_)) => TargetState::Unhealthy,
                    (true, None) => TargetState::Healthy,
                    (false, None) => TargetState::Unchecked,
                };
                one(address.socket.to_string(), state)
            }));
        }
    }
    all.sort_by(|a, b| {
        (&a.upstream, &a.target, &a.address).cmp(&(&b.upstream, &b.target, &b.address))
    });
    all
}
