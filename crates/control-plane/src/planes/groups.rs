//! Groups: control planes whose nodes run the union of their members' configurations.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::RecordOperation;
use uuid::Uuid;

use super::{Planes, records};
use crate::error::{InvalidParameter, PlaneError};
use crate::model::{ClusterType, ControlPlane, GroupStatus, PlaneEvent};

/// Members of one group.
///
/// Compat: the reference's limits, here and below.
pub const MAX_MEMBERS: usize = 256;
/// Ids in one call.
pub const MAX_MEMBERS_PER_CALL: usize = 50;
/// Groups that one control plane may belong to.
pub const MAX_GROUPS: usize = 5;

const SPACE: &str = "group_members";

#[derive(Serialize, Deserialize)]
struct Row {
    group: Uuid,
    members: Vec<Uuid>,
}

pub(super) type StatusTable = Mutex<HashMap<Uuid, GroupStatus>>;

/// How a call changes the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Exactly the given ones.
    Set,
    /// The given ones too.
    Add,
    /// No longer the given ones.
    Remove,
}

impl Planes {
    /// The ids of a group's members, in the order in which they joined; empty for any other
    /// control plane.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn members(&self, group: Uuid) -> Result<Vec<Uuid>, PlaneError> {
        let row: Option<Row> = self.inner.records.get(SPACE, group).await?;
        Ok(row.map(|row| row.members).unwrap_or_default())
    }

    /// The groups that a control plane of this organisation belongs to.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn groups_of(
        &self,
        organisation: Uuid,
        member: Uuid,
    ) -> Result<Vec<Uuid>, PlaneError> {
        let rows: Vec<(Uuid, Row)> = self.inner.records.list(SPACE, Some(organisation)).await?;
        Ok(rows
            .into_iter()
            .filter(|(_, row)| row.members.contains(&member))
            .map(|(_, row)| row.group)
            .collect())
    }

    /// Changes the members of a group.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`] for the group; [`PlaneError::Invalid`] with every id that cannot
    /// be a member and why.
    pub async fn change_members(
        &self,
        organisation: Uuid,
        group: Uuid,
        change: MemberChange,
        ids: &[Uuid],
    ) -> Result<(), PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let plane = self.get(organisation, group).await?;
        let mut found = Vec::new();
        if plane.cluster_type != ClusterType::Group {
            let reason = "the control plane is not a group";
            found.push(InvalidParameter::body("cluster_type", "invalid", reason));
        }
        if ids.len() > MAX_MEMBERS_PER_CALL {
            let reason = format!("must have {MAX_MEMBERS_PER_CALL} items or fewer");
            let fault = InvalidParameter::body("members", "max_items", reason);
            found.push(fault.maximum(MAX_MEMBERS_PER_CALL));
        }
        if !found.is_empty() {
            return Err(PlaneError::Invalid(found));
        }
        let before = self.members(group).await?;
        let after = apply(change, &before, ids);
        if after.len() > MAX_MEMBERS {
            let reason = format!("a group has {MAX_MEMBERS} members or fewer");
            let fault = InvalidParameter::body("members", "max_items", reason);
            found.push(fault.maximum(MAX_MEMBERS));
        }
        for (index, id) in ids.iter().enumerate() {
            if change == MemberChange::Remove || before.contains(id) {
                continue;
            }
            if let Some(reason) = self.member_fault(organisation, *id).await? {
                let field = format!("members.{index}.id");
                found.push(InvalidParameter::body(field, "missing_reference", reason));
            }
        }
        if !found.is_empty() {
            return Err(PlaneError::Invalid(found));
        }
        self.store_members(&plane, &before, after).await
    }

    /// What the last building of the group's configuration found. Kept in memory: it is found
    /// anew after a restart.
    pub fn set_group_status(&self, group: Uuid, state: GroupStatus) {
        self.inner.group_status.lock().insert(group, state);
    }

    /// What [`Planes::set_group_status`] last said, if anything.
    #[must_use]
    pub fn group_status(&self, group: Uuid) -> Option<GroupStatus> {
        self.inner.group_status.lock().get(&group).cloned()
    }

    /// What has to be written when a control plane goes, and the groups that lose a member.
    pub(super) async fn leaving(
        &self,
        plane: &ControlPlane,
    ) -> Result<(Vec<RecordOperation>, Vec<Uuid>), PlaneError> {
        let mut operations = Vec::new();
        let groups = self.groups_of(plane.organisation, plane.id).await?;
        for group in &groups {
            let before = self.members(*group).await?;
            let members = apply(MemberChange::Remove, &before, &[plane.id]);
            let group = *group;
            let row = Row { group, members };
            operations.push(records::put(SPACE, group, plane.organisation, &row)?);
        }
        if !self.members(plane.id).await?.is_empty() {
            let (space, id) = (SPACE, plane.id);
            operations.push(RecordOperation::Delete { space, id });
        }
        Ok((operations, groups))
    }

    async fn store_members(
        &self,
        group: &ControlPlane,
        before: &[Uuid],
        members: Vec<Uuid>,
    ) -> Result<(), PlaneError> {
        if before == members {
            return Ok(());
        }
        let (group, owner) = (group.id, group.organisation);
        let row = Row { group, members };
        self.inner
            .records
            .put(records::put(SPACE, group, owner, &row)?)
            .await?;
        self.tell(PlaneEvent::MembersChanged { group });
        Ok(())
    }

    async fn member_fault(
        &self,
        organisation: Uuid,
        id: Uuid,
    ) -> Result<Option<String>, PlaneError> {
        let plane = match self.get(organisation, id).await {
            Ok(plane) => plane,
            Err(PlaneError::NotFound { .. }) => {
                return Ok(Some(format!("there is no control plane `{id}`")));
            }
            Err(other) => return Err(other),
        };
        let fault = match plane.cluster_type {
            ClusterType::Group => Some("a group cannot be a member of a group".to_owned()),
            ClusterType::KubernetesIngressController => {
                Some("a Kubernetes ingress control plane cannot be a member".to_owned())
            }
            _ if self.nodes(id).iter().any(|node| node.is_connected) => {
                Some("nodes are connected to it directly; disconnect them first".to_owned())
            }
            _ if self.groups_of(organisation, id).await?.len() >= MAX_GROUPS => {
                Some(format!("it belongs to {MAX_GROUPS} groups already"))
            }
            _ => None,
        };
        Ok(fault)
    }
}

fn apply(change: MemberChange, before: &[Uuid], ids: &[Uuid]) -> Vec<Uuid> {
    let given: BTreeSet<_> = ids.iter().collect();
    let mut seen = BTreeSet::new();
    let all: Vec<Uuid> = match change {
        MemberChange::Set => ids.to_vec(),
        MemberChange::Add => before.iter().chain(ids).copied().collect(),
        MemberChange::Remove => before
            .iter()
            .filter(|id| !given.contains(id))
            .copied()
            .collect(),
    };
    all.into_iter().filter(|id| seen.insert(*id)).collect()
}
