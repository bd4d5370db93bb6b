//! Making a configuration out of what is stored, and packing it for versions of nodes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use declarative::packed_table;
use entities::{DEFAULT_WORKSPACE, Map, Packed};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::{Export, Tables};
use tokio::sync::OnceCell;
use uuid::Uuid;
use wire::downgrade::{Change, Rewriter, is_for_open_source};
use wire::hash::{Hashes, packed_hash};
use wire::{KeptTable, PackedTable, Version, WireError};

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
    table: KeptTable,
    /// Whether nodes of the open-source reference cannot take all of it.
    is_reducible: bool,
    packed: Mutex<HashMap<Form, Arc<OnceCell<Arc<Payload>>>>>,
}

/// Minor version of 3.x for which it is converted, `None` for nodes that take it as it is; and
/// whether what the open-source line lacks is left out.
type Form = (Option<u16>, bool);

/// A frame's payload for nodes of one form.
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    /// What was changed for older nodes.
    pub(super) changes: Vec<Change>,
}

/// What is made of the tables.
struct Made {
    table: KeptTable,
    hashes: Hashes,
    plugins: BTreeSet<String>,
    is_reducible: bool,
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
            let table = tables.entry(kind.to_owned()).or_default();
            table.extend(rows.iter().map(Packed::of));
        }
    }
    let catalogue = Arc::clone(&inner.catalogue);
    let plane = sources.plane;
    let made = tokio::task::spawn_blocking(move || {
        let (members, tables) = packed_table(with_own(&plane, tables), &catalogue);
        let table = PackedTable { members, tables };
        Ok::<_, WireError>(Made {
            table: KeptTable::of(&table)?,
            hashes: packed_hash(&table),
            plugins: plugins(&table),
            is_reducible: is_reducible(&table),
        })
    });
    let made = made.await.map_err(|error| error.to_string())?;
    let made = made.map_err(|error| error.to_string())?;
    Ok(Outcome::Built(Arc::new(Build {
        sequence,
        versions,
        hashes: made.hashes,
        made_at_ms: clock::unix_millis(),
        plugins: made.plugins,
        table: made.table,
        is_reducible: made.is_reducible,
        packed: Mutex::default(),
    })))
}

/// Adds what every configuration has: the default workspace and the name of the cluster.
fn with_own(plane: &ControlPlane, mut tables: Tables) -> Tables {
    let created_at = plane.created_at / 1000;
    let has = |rows: &[Packed], member: &str, text: &str| {
        let mut rows = rows.iter();
        rows.any(|row| row.text_of(member).as_deref() == Some(text))
    };
    let workspaces = tables.entry("workspaces".to_owned()).or_default();
    if !has(workspaces, "name", "default") {
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
    if !has(parameters, "key", "cluster_id") {
        parameters.push(row(json!({
            "key": "cluster_id",
            "value": plane.id.to_string(),
            "created_at": null,
        })));
    }
    tables
}

fn row(value: Value) -> Packed {
    Packed::of(&match value {
        Value::Object(map) => map,
        _ => Map::new(),
    })
}

fn plugins(table: &PackedTable) -> BTreeSet<String> {
    let rows = table.rows("plugins").iter();
    rows.filter_map(|row| row.text_of("name")).collect()
}

fn is_reducible(table: &PackedTable) -> bool {
    let mut tables = table.tables.iter();
    tables.any(|(name, rows)| {
        let mut rows = rows.iter();
        rows.any(|row| !is_for_open_source(name, &row.open()))
    })
}

impl Build {
    /// The payload for nodes of a version; packed by the first that asks. Nodes that are not of
    /// this program (`is_ours`) get what the open-source reference understands.
    pub(super) async fn packed(
        self: &Arc<Self>,
        node: Version,
        is_ours: bool,
    ) -> Result<Arc<Payload>, String> {
        let is_reduced = !is_ours && self.is_reducible;
        let form = (node.is_before(3, 10).then_some(node.minor), is_reduced);
        let cell = Arc::clone(self.packed.lock().entry(form).or_default());
        let packed = cell.get_or_try_init(|| async {
            let build = Arc::clone(self);
            let packed = tokio::task::spawn_blocking(move || build.pack(node, is_reduced));
            packed.await.map_err(|error| error.to_string())?
        });
        packed.await.cloned()
    }

    fn pack(&self, node: Version, is_reduced: bool) -> Result<Arc<Payload>, String> {
        let mut rewriter = Rewriter::new(node, is_reduced);
        // The hash stays that of the original, so that it says "in sync" at every version.
        let (hashes, at) = (&self.hashes, self.made_at_ms);
        let table = self.table.open().map_err(|error| error.to_string())?;
        let bytes = wire::v1::encode_reconfigure(&table, hashes, at, &mut rewriter);
        let bytes = bytes.map_err(|error| error.to_string())?;
        let changes = rewriter.finish();
        Ok(Arc::new(Payload { bytes, changes }))
    }
}

/// For tests of what is merged.
pub(super) type Exports = Vec<(Uuid, Export)>;
