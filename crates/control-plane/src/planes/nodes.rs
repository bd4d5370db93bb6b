//! What the platform remembers about nodes.
//!
//! Pings arrive every half minute from every node; the table lives in memory and a record is
//! written when something other than the ping changed, or when the written ping is older than
//! [`PING_WRITTEN_EVERY`].

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use serde_json::json;
use store::RecordOperation;
use uuid::Uuid;

use super::{Planes, records};
use crate::error::{InvalidParameter, PlaneError};
use crate::model::{Node, NodeReport, NodeSeen};

/// Nodes remembered per control plane; a further one is served but not listed.
pub(super) const MAX_NODES: usize = 10_000;
/// Seconds without a ping after which a node is forgotten.
///
/// Compat: the reference purges after a day.
pub(super) const FORGOTTEN_AFTER: u64 = 24 * 60 * 60;
/// Seconds between written pings of an otherwise unchanged node.
const PING_WRITTEN_EVERY: u64 = 300;
const NO_CONFIGURATION: &str = "00000000000000000000000000000000";

const SPACE: &str = "node";

#[derive(Debug, Default)]
pub(super) struct NodeTable {
    by_plane: Mutex<HashMap<Uuid, BTreeMap<Uuid, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    node: Node,
    written_ping: u64,
}

impl Planes {
    /// Takes note of a node: on connect, on every ping and on disconnect.
    ///
    /// # Errors
    ///
    /// Only when the record cannot be written; the node is remembered in memory all the same.
    pub async fn record_node(&self, seen: NodeSeen) -> Result<(), PlaneError> {
        let Some(node) = self.inner.nodes.merge(&seen) else {
            return Ok(());
        };
        let key = record_id(seen.control_plane, seen.node_id);
        let put = records::put(SPACE, key, seen.control_plane, &node)?;
        self.inner.records.put(put).await
    }

    /// The nodes of a control plane, by id. Those not heard of for a day are left out.
    #[must_use]
    pub fn nodes(&self, control_plane: Uuid) -> Vec<Node> {
        let oldest = clock::unix_seconds().saturating_sub(FORGOTTEN_AFTER);
        let planes = self.inner.nodes.by_plane.lock();
        planes
            .get(&control_plane)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|entry| entry.node.last_ping >= oldest)
            .map(|entry| entry.node.clone())
            .collect()
    }

    /// One node.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`].
    pub fn node(&self, control_plane: Uuid, id: Uuid) -> Result<Node, PlaneError> {
        let planes = self.inner.nodes.by_plane.lock();
        planes
            .get(&control_plane)
            .and_then(|nodes| nodes.get(&id))
            .map(|entry| entry.node.clone())
            .ok_or(PlaneError::NotFound { noun: "node", id })
    }

    /// Writes what an ingress controller reports about a node; creates the node when it is new.
    ///
    /// # Errors
    ///
    /// [`PlaneError::Invalid`] when the control plane has `MAX_NODES` nodes, or the record
    /// cannot be written.
    pub async fn put_node(
        &self,
        control_plane: Uuid,
        report: NodeReport,
    ) -> Result<Node, PlaneError> {
        let key = record_id(control_plane, report.id);
        let Some(node) = self.inner.nodes.report(control_plane, report) else {
            let reason = format!("the control plane has {MAX_NODES} nodes already");
            let fault = InvalidParameter::body("id", "max", reason);
            return Err(PlaneError::Invalid(vec![fault.maximum(MAX_NODES)]));
        };
        let put = records::put(SPACE, key, control_plane, &node)?;
        self.inner.records.put(put).await?;
        Ok(node)
    }

    /// Forgets a node. It is listed again as soon as it is heard of.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`].
    pub async fn delete_node(&self, control_plane: Uuid, id: Uuid) -> Result<(), PlaneError> {
        self.node(control_plane, id)?;
        if let Some(nodes) = self.inner.nodes.by_plane.lock().get_mut(&control_plane) {
            nodes.remove(&id);
        }
        self.inner
            .records
            .delete(SPACE, record_id(control_plane, id))
            .await
    }

    /// Takes in what other processes on the same database wrote about their nodes.
    pub(crate) async fn learn_nodes(&self) -> Result<(), PlaneError> {
        let rows: Vec<(Uuid, Node)> = self.inner.records.list(SPACE, None).await?;
        let mut planes = self.inner.nodes.by_plane.lock();
        for (control_plane, node) in rows {
            let nodes = planes.entry(control_plane).or_default();
            let known = nodes.get(&node.id);
            if known.is_none_or(|known| known.node.last_ping < node.last_ping) {
                let written_ping = node.last_ping;
                nodes.insert(node.id, Entry { node, written_ping });
            }
        }
        Ok(())
    }

    /// Reads all nodes from the records, once, at the start; drops the forgotten ones.
    pub(super) async fn load_nodes(&self) -> Result<(), PlaneError> {
        let oldest = clock::unix_seconds().saturating_sub(FORGOTTEN_AFTER);
        let rows: Vec<(Uuid, Node)> = self.inner.records.list(SPACE, None).await?;
        for (control_plane, node) in rows {
            if node.last_ping < oldest {
                let key = record_id(control_plane, node.id);
                self.inner.records.delete(SPACE, key).await?;
                continue;
            }
            let written_ping = node.last_ping;
            let entry = Entry { node, written_ping };
            let mut planes = self.inner.nodes.by_plane.lock();
            let nodes = planes.entry(control_plane).or_default();
            nodes.insert(entry.node.id, entry);
        }
        Ok(())
    }
}

/// The removal of every node of a control plane.
pub(super) const fn all_of(control_plane: Uuid) -> RecordOperation {
    RecordOperation::DeleteOwned {
        space: SPACE,
        owner: control_plane,
    }
}

impl NodeTable {
    pub(super) fn forget(&self, control_plane: Uuid) {
        self.by_plane.lock().remove(&control_plane);
    }

    /// Takes a report over; `None` when there is no place for one more node.
    fn report(&self, control_plane: Uuid, report: NodeReport) -> Option<Node> {
        let now = clock::unix_seconds();
        let oldest = now.saturating_sub(FORGOTTEN_AFTER);
        let mut planes = self.by_plane.lock();
        let nodes = planes.entry(control_plane).or_default();
        if !nodes.contains_key(&report.id) {
            nodes.retain(|_, entry| entry.node.last_ping >= oldest);
            if nodes.len() >= MAX_NODES {
                return None;
            }
        }
        let seen = NodeSeen {
            node_id: report.id,
            ..NodeSeen::default()
        };
        let entry = nodes.entry(report.id).or_insert_with(|| Entry {
            node: first_seen(&seen, now),
            written_ping: 0,
        });
        let node = &mut entry.node;
        node.kind = report.kind;
        node.hostname = report.hostname;
        node.version = report.version;
        node.status = report.status;
        if let Some(hash) = report.config_hash {
            node.config_hash = hash;
        }
        if let Some(compatibility) = report.compatibility {
            node.compatibility = compatibility;
        }
        let can_be = |ping: &u64| (oldest..=now).contains(ping);
        node.last_ping = report.last_ping.filter(can_be).unwrap_or(now);
        node.updated_at = now;
        entry.written_ping = now;
        Some(node.clone())
    }

    /// Merges what was seen; gives the node when its record must be written.
    fn merge(&self, seen: &NodeSeen) -> Option<Node> {
        let now = clock::unix_seconds();
        let mut planes = self.by_plane.lock();
        let nodes = planes.entry(seen.control_plane).or_default();
        if !nodes.contains_key(&seen.node_id) && nodes.len() >= MAX_NODES {
            let oldest = now.saturating_sub(FORGOTTEN_AFTER);
            nodes.retain(|_, entry| entry.node.last_ping >= oldest);
            if nodes.len() >= MAX_NODES {
                tracing::warn!(control_plane = %seen.control_plane, "too many nodes to list");
                return None;
            }
        }
        let entry = nodes.entry(seen.node_id).or_insert_with(|| Entry {
            node: first_seen(seen, now),
            written_ping: 0,
        });
        let before = entry.node.clone();
        update(&mut entry.node, seen);
        let is_changed = entry.node != before;
        if is_changed {
            entry.node.updated_at = now;
        }
        entry.node.last_ping = now;
        entry.node.is_connected = seen.is_connected;
        let is_due = now.saturating_sub(entry.written_ping) >= PING_WRITTEN_EVERY;
        if !is_changed && !is_due {
            return None;
        }
        entry.written_ping = now;
        Some(entry.node.clone())
    }
}

fn first_seen(seen: &NodeSeen, now: u64) -> Node {
    Node {
        id: seen.node_id,
        version: String::new(),
        hostname: String::new(),
        ip: String::new(),
        kind: "kong-proxy".to_owned(),
        config_hash: NO_CONFIGURATION.to_owned(),
        labels: BTreeMap::new(),
        certificate_id: None,
        compatibility: json!({"state": "COMPATIBILITY_STATE_UNKNOWN", "issues": []}),
        last_ping: now,
        created_at: now,
        updated_at: now,
        is_connected: false,
        status: None,
    }
}

fn update(node: &mut Node, seen: &NodeSeen) {
    node.version.clone_from(&seen.version);
    node.hostname.clone_from(&seen.hostname);
    node.ip.clone_from(&seen.ip);
    node.labels.clone_from(&seen.labels);
    node.certificate_id = seen.certificate_id;
    if let Some(hash) = &seen.config_hash {
        node.config_hash.clone_from(hash);
    }
    if let Some(compatibility) = &seen.compatibility {
        node.compatibility.clone_from(compatibility);
    }
}

/// Two control planes may know the same node, so the key has both.
fn record_id(control_plane: Uuid, node: Uuid) -> Uuid {
    Uuid::new_v5(&control_plane, node.as_bytes())
}
