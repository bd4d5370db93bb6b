//! The records of the control planes of one geo, and what happens to them.
//!
//! Nothing here decides whether a caller may do a thing; it only keeps organisations apart:
//! every read by id names the organisation, and another's is answered like a missing one.

mod certificates;
mod config_stores;
mod groups;
mod nodes;
mod records;
pub(crate) mod rules;

use std::sync::Arc;

use store::{Actor, RecordOperation, Store, StoreError};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::error::{InvalidParameter, PlaneError};
use crate::geo::Geo;
use crate::model::{ControlPlane, NewControlPlane, PatchControlPlane, PlaneEvent};
pub use certificates::MAX_CERTIFICATES;
pub use config_stores::{
    ConfigStore, MAX_CONFIG_STORES, MAX_SECRET_KEY, MAX_SECRET_VALUE, MAX_SECRETS, MAX_STORE_NAME,
    Secret,
};
pub use groups::{MAX_GROUPS, MAX_MEMBERS, MAX_MEMBERS_PER_CALL, MemberChange};
use records::Records;

/// Control planes per organisation.
///
/// Compat: the reference's default limit.
pub const MAX_CONTROL_PLANES: usize = 100;
/// Events a slow receiver may lag behind before it must start over.
const EVENT_BACKLOG: usize = 1024;
/// Random prefixes tried before giving up; one is nearly always enough out of 2^40.
const PREFIX_ATTEMPTS: usize = 8;

const SPACE: &str = "control_plane";

/// The control planes of one geo. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Planes {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    geo: Geo,
    records: Records,
    events: broadcast::Sender<PlaneEvent>,
    nodes: nodes::NodeTable,
    group_status: groups::StatusTable,
    /// Held from reading to writing by everything that changes control planes, certificates and
    /// groups: what was checked is still true when it is written, and no change is lost. One
    /// process opens a geo's store, so this is enough.
    writing: tokio::sync::Mutex<()>,
}

impl Planes {
    /// Opens the control planes of a geo, kept in the geo's store.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn open(geo: Geo, store: Store) -> Result<Self, PlaneError> {
        let planes = Self {
            inner: Arc::new(Inner {
                geo,
                records: Records::new(store),
                events: broadcast::channel(EVENT_BACKLOG).0,
                nodes: nodes::NodeTable::default(),
                group_status: groups::StatusTable::default(),
                writing: tokio::sync::Mutex::default(),
            }),
        };
        planes.load_nodes().await?;
        Ok(planes)
    }

    /// The geo these control planes belong to.
    #[must_use]
    pub fn geo(&self) -> &Geo {
        &self.inner.geo
    }

    /// What the push of configuration must act on. A receiver that lags must look at everything
    /// anew.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<PlaneEvent> {
        self.inner.events.subscribe()
    }

    /// Creates a control plane with a prefix of its own.
    ///
    /// # Errors
    ///
    /// [`PlaneError::Invalid`] with all violations, [`PlaneError::NameTaken`].
    pub async fn create(
        &self,
        organisation: Uuid,
        new: NewControlPlane,
    ) -> Result<ControlPlane, PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let mut found = rules::of_new(&new);
        if found.is_empty() && self.list(organisation).await?.len() >= MAX_CONTROL_PLANES {
            let reason =
                format!("the organisation has {MAX_CONTROL_PLANES} control planes already");
            let fault = InvalidParameter::body("object", "max", reason);
            found.push(fault.maximum(MAX_CONTROL_PLANES));
        }
        if !found.is_empty() {
            return Err(PlaneError::Invalid(found));
        }
        let now = clock::unix_millis();
        let plane = ControlPlane {
            id: clock::new_uuid(),
            organisation,
            name: new.name,
            description: new.description,
            labels: new.labels,
            prefix: self.free_prefix().await?,
            cluster_type: new.cluster_type,
            auth_type: new.auth_type,
            cloud_gateway: new.cloud_gateway,
            proxy_urls: new.proxy_urls,
            is_default: new.is_default,
            created_at: now,
            updated_at: now,
        };
        self.store(&plane).await?;
        Ok(plane)
    }

    /// The control plane with this id, if the organisation owns it.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`] when it does not exist or is another organisation's.
    pub async fn get(&self, organisation: Uuid, id: Uuid) -> Result<ControlPlane, PlaneError> {
        self.find(id)
            .await?
            .filter(|plane| plane.organisation == organisation)
            .ok_or_else(|| missing(id))
    }

    /// The control plane with this id, whoever owns it: for the platform's own work, never to
    /// answer a caller.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn find(&self, id: Uuid) -> Result<Option<ControlPlane>, PlaneError> {
        self.inner.records.get(SPACE, id).await
    }

    /// The control plane whose hosts begin with this prefix.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn by_prefix(&self, prefix: &str) -> Result<Option<ControlPlane>, PlaneError> {
        self.inner.records.find(SPACE, "prefix", prefix).await
    }

    /// The organisation's control plane of this name.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn by_name(
        &self,
        organisation: Uuid,
        name: &str,
    ) -> Result<Option<ControlPlane>, PlaneError> {
        let key = name_key(organisation, name);
        self.inner.records.find(SPACE, "name", &key).await
    }

    /// All control planes of the organisation, oldest first.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn list(&self, organisation: Uuid) -> Result<Vec<ControlPlane>, PlaneError> {
        let rows: Vec<(Uuid, ControlPlane)> =
            self.inner.records.list(SPACE, Some(organisation)).await?;
        let mut planes: Vec<_> = rows.into_iter().map(|(_, plane)| plane).collect();
        planes.sort_by_key(|plane| (plane.created_at, plane.id));
        Ok(planes)
    }

    /// Changes what `patch` names.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`], [`PlaneError::Invalid`], [`PlaneError::NameTaken`].
    pub async fn patch(
        &self,
        organisation: Uuid,
        id: Uuid,
        patch: PatchControlPlane,
    ) -> Result<ControlPlane, PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let mut plane = self.get(organisation, id).await?;
        let found = rules::of_patch(&patch);
        if !found.is_empty() {
            return Err(PlaneError::Invalid(found));
        }
        plane.name = patch.name.unwrap_or(plane.name);
        plane.description = patch.description.unwrap_or(plane.description);
        plane.labels = patch.labels.unwrap_or(plane.labels);
        plane.proxy_urls = patch.proxy_urls.unwrap_or(plane.proxy_urls);
        plane.auth_type = patch.auth_type.unwrap_or(plane.auth_type);
        plane.updated_at = clock::unix_millis().max(plane.updated_at);
        self.store(&plane).await?;
        Ok(plane)
    }

    /// Removes a control plane with its entities, certificates, memberships and nodes, and tells
    /// the push.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`]; [`PlaneError::Invalid`] for the organisation's default one.
    pub async fn delete(
        &self,
        organisation: Uuid,
        id: Uuid,
        actor: Actor,
    ) -> Result<(), PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let plane = self.get(organisation, id).await?;
        if plane.is_default {
            let reason = "the default control plane cannot be deleted";
            let fault = InvalidParameter::body("object", "invalid", reason);
            return Err(PlaneError::Invalid(vec![fault]));
        }
        let (mut operations, groups) = self.leaving(&plane).await?;
        operations.extend([
            RecordOperation::Delete { space: SPACE, id },
            certificates::all_of(id),
            nodes::all_of(id),
        ]);
        self.inner.records.batch(operations).await?;
        self.inner.nodes.forget(id);
        self.inner.group_status.lock().remove(&id);
        self.tell(PlaneEvent::PlaneDeleted { control_plane: id });
        for group in groups {
            self.tell(PlaneEvent::MembersChanged { group });
        }
        // The record went first: entities without a control plane cannot be reached any more,
        // whereas a control plane without its entities would have emptied its nodes.
        self.inner.records.store().purge(id, actor).await?;
        Ok(())
    }

    /// The number of the last change of a control plane's configuration; 0 when there was none.
    ///
    /// # Errors
    ///
    /// Only when the store cannot be read.
    pub async fn version(&self, control_plane: Uuid) -> Result<u64, PlaneError> {
        Ok(self.inner.records.store().version(control_plane).await?)
    }

    async fn store(&self, plane: &ControlPlane) -> Result<(), PlaneError> {
        let unique = vec![
            ("prefix", plane.prefix.clone()),
            ("name", name_key(plane.organisation, &plane.name)),
        ];
        let put = records::put_unique(SPACE, plane.id, plane.organisation, plane, unique)?;
        match self.inner.records.put(put).await {
            Err(PlaneError::Store(StoreError::Unique { .. })) => Err(PlaneError::NameTaken {
                name: plane.name.clone(),
            }),
            other => other,
        }
    }

    async fn free_prefix(&self) -> Result<String, PlaneError> {
        for _ in 0..PREFIX_ATTEMPTS {
            let prefix = new_prefix();
            if self.by_prefix(&prefix).await?.is_none() {
                return Ok(prefix);
            }
        }
        Err(PlaneError::Damaged("no free prefix was found".to_owned()))
    }

    fn tell(&self, event: PlaneEvent) {
        // Nobody listening is no fault: then nothing is connected either.
        drop(self.inner.events.send(event));
    }
}

/// Compat: ten lower-case hexadecimal characters, as observed.
fn new_prefix() -> String {
    clock::random_bytes::<5>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn name_key(organisation: Uuid, name: &str) -> String {
    format!("{organisation}/{name}")
}

fn missing(id: Uuid) -> PlaneError {
    PlaneError::NotFound {
        noun: "control plane",
        id,
    }
}

#[cfg(test)]
mod tests;
