//! Making a configuration out of what is stored, and packing it for versions of nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use declarative::Config;
use entities::{DEFAULT_WORKSPACE, Map};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::Export;
use tokio::sync::OnceCell;
use uuid::Uuid;
use wire::Version;
use wire::downgrade::{Change, Converted, convert, for_open_source};
use wire::hash::{Hashes, config_hash};

use super::{Inner, merge};
use crate::model::{ClusterType, ControlPlane, GroupStatus};

/// What a configuration is made of.
pub(super) struct Sources {
    plane: ControlPlane,
    /// The members of a group; empty for any other control plane.
    pub(super) members: Vec<Uuid>,
    /// The stored versions, by control plane.
    pub(super) versions: Vec<(Uuid, u64)>,
}

/// A configuration, ready to be packed.
pub(super) struct Build {
    /// Counts the configurations of one control plane.
    pub(super) sequence: u64,
    pub(super) versions: Vec<(Uuid, u64)>,
    pub(super) hashes: Hashes,
    pub(super) made_at_ms: u64,
    /// Names of the plugins in use.
    pub(super) plugins: BTreeSet<String>,
    table: Value,
    /// The same for nodes of the open-source reference, if it differs.
    open_source: Option<Converted>,
    packed: Mutex<HashMap<Form, Arc<OnceCell<Arc<Packed>>>>>,
}

/// Minor version of 3.x for which it is converted, `None` for nodes that take it as it is; and
/// whether what the open-source line lacks is left out.
type Form = (Option<u16>, bool);

/// A frame's payload for nodes of one form.
pub(super) struct Packed {
    pub(super) bytes: Bytes,
    /// What was changed for older nodes.
    pub(super) changes: Vec<Change>,
}

pub(super) enum Outcome {
    Built(Arc<Build>),
    /// Members of a group define the same thing; the group's status says what.
    Clashes,
}

/// Looks up what the configuration of a control plane is made of.
pub(super) async fn sources(inner: &Inner, plane: Uuid) -> Result<Sources, String> {
    let found = inner.planes.find(plane).await;
    let found = found.map_err(|error| error.to_string())?;
    let plane = found.ok_or_else(|| format!("there is no control plane `{plane}`"))?;
    let mut members = Vec::new();
    if plane.cluster_type == ClusterType::Group {
        let found = inner.planes.members(plane.id).await;
        members = found.map_err(|error| error.to_string())?;
    }
    let mut versions = Vec::new();
    for id in whose(&plane, &members) {
        let version = inner.store.version(id).await;
        versions.push((id, version.map_err(|error| error.to_string())?));
    }
    Ok(Sources {
        plane,
        members,
        versions,
    })
}

fn whose(plane: &ControlPlane, members: &[Uuid]) -> Vec<Uuid> {
    match plane.cluster_type {
        ClusterType::Group => members.to_vec(),
        _ => vec![plane.id],
    }
}

/// Exports, merges and hashes.
pub(super) async fn build(
    inner: &Inner,
    sources: Sources,
    sequence: u64,
) -> Result<Outcome, String> {
    let mut exports = Vec::new();
    for id in whose(&sources.plane, &sources.members) {
        let export = inner.store.export(id).await;
        exports.push((id, export.map_err(|error| error.to_string())?));
    }
    let versions = exports.iter().map(|(id, e)| (*id, e.version)).collect();
    let is_group = sources.plane.cluster_type == ClusterType::Group;
    let (tables, conflicts) = if is_group {
        merge::merge(exports, &inner.catalogue)
    } else {
        let export = exports.pop().map(|(_, export)| export);
        (export.unwrap_or_default().tables, Vec::new())
    };
    if is_group {
        let now = clock::unix_millis();
        let before = inner.planes.group_status(sources.plane.id);
        let created_at = before
            .filter(|status| status.conflicts == conflicts)
            .map_or(now, |status| status.created_at);
        let is_blocked = !conflicts.is_empty();
        let status = GroupStatus {
            conflicts,
            created_at,
            updated_at: now,
        };
        inner.planes.set_group_status(sources.plane.id, status);
        if is_blocked {
            return Ok(Outcome::Clashes);
        }
    }
    let mut tables = tables;
    for id in whose(&sources.plane, &sources.members) {
        let secrets = inner.planes.read_secrets(id, &tables).await;
        for (kind, rows) in secrets.map_err(|error| error.to_string())? {
            tables.entry(kind.to_owned()).or_default().extend(rows);
        }
    }
    let catalogue = Arc::clone(&inner.catalogue);
    let plane = sources.plane;
    let made = tokio::task::spawn_blocking(move || {
        let table = table(&plane, tables).to_table(&catalogue);
        let hashes = config_hash(&table);
        let open_source = for_open_source(&table);
        (table, hashes, open_source)
    });
    let (table, hashes, open_source) = made.await.map_err(|error| error.to_string())?;
    Ok(Outcome::Built(Arc::new(Build {
        sequence,
        versions,
        hashes,
        made_at_ms: clock::unix_millis(),
        plugins: plugins(&table),
        table,
        open_source,
        packed: Mutex::default(),
    })))
}

/// Adds what every configuration has: the default workspace and the name of the cluster.
fn table(plane: &ControlPlane, mut tables: BTreeMap<String, Vec<Map>>) -> Config {
    let created_at = plane.created_at / 1000;
    let workspaces = tables.entry("workspaces".to_owned()).or_default();
    if !workspaces
        .iter()
        .any(|row| row.get("name") == Some(&json!("default")))
    {
        workspaces.push(row(json!({
            "id": DEFAULT_WORKSPACE.to_string(),
            "name": "default",
            "comment": null,
            "config": {},
            "meta": {},
            "created_at": created_at,
            "updated_at": created_at,
        })));
    }
    let parameters = tables.entry("parameters".to_owned()).or_default();
    if !parameters
        .iter()
        .any(|row| row.get("key") == Some(&json!("cluster_id")))
    {
        parameters.push(row(json!({
            "key": "cluster_id",
            "value": plane.id.to_string(),
            "created_at": null,
        })));
    }
    Config { tables }
}

fn row(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn plugins(table: &Value) -> BTreeSet<String> {
    let rows = table.get("plugins").and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .filter_map(|row| row.get("name")?.as_str())
        .map(str::to_owned)
        .collect()
}

impl Build {
    /// The payload for nodes of a version; packed by the first that asks. Nodes that are not of
    /// this program (`is_ours`) get what the open-source reference understands.
    pub(super) async fn packed(
        self: &Arc<Self>,
        node: Version,
        is_ours: bool,
    ) -> Result<Arc<Packed>, String> {
        let is_reduced = !is_ours && self.open_source.is_some();
        let form = (node.is_before(3, 10).then_some(node.minor), is_reduced);
        let cell = Arc::clone(self.packed.lock().entry(form).or_default());
        let packed = cell.get_or_try_init(|| async {
            let build = Arc::clone(self);
            let packed = tokio::task::spawn_blocking(move || build.pack(node, is_reduced));
            packed.await.map_err(|error| error.to_string())?
        });
        packed.await.cloned()
    }

    fn pack(&self, node: Version, is_reduced: bool) -> Result<Arc<Packed>, String> {
        let mut changes = Vec::new();
        let mut table = &self.table;
        if let Some(reduced) = self.open_source.as_ref().filter(|_| is_reduced) {
            table = &reduced.table;
            changes.extend(reduced.changes.iter().cloned());
        }
        let converted = convert(table, node);
        if let Some(converted) = &converted {
            table = &converted.table;
            changes.extend(converted.changes.iter().cloned());
        }
        // The hash stays that of the original, so that it says "in sync" at every version.
        let bytes = wire::v1::encode_reconfigure(table, &self.hashes, self.made_at_ms);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(Arc::new(Packed { bytes, changes }))
    }
}

/// For tests of what is merged.
pub(super) type Exports = Vec<(Uuid, Export)>;
