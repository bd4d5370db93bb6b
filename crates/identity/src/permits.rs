//! Who may do what. This is the only place that decides, and it refuses unless a rule allows.

use uuid::Uuid;

use crate::nouns::Principal;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See it.
    Read,
    /// Make one.
    Create,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// The organisation and its settings.
    Organisation,
    /// Users and system accounts.
    Identity,
    /// Tokens of a user or account.
    Token,
    /// A control plane itself.
    ControlPlane,
    /// The configuration of a control plane: entities, certificates, nodes.
    Configuration,
    /// Telemetry of a control plane.
    Analytics,
}

/// What it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// What kind of thing it is.
    pub kind: ResourceKind,
    /// The organisation it belongs to.
    pub organisation: Uuid,
    /// The control plane it is or belongs to.
    pub control_plane: Option<Uuid>,
    /// The user or system account it belongs to, for tokens.
    pub owner: Option<Uuid>,
}

impl Resource {
    /// A thing of an organisation.
    #[must_use]
    pub fn of_organisation(kind: ResourceKind, organisation: Uuid) -> Self {
        Self {
            kind,
            organisation,
            control_plane: None,
            owner: None,
        }
    }

    /// A thing of a control plane.
    #[must_use]
    pub fn of_plane(kind: ResourceKind, organisation: Uuid, control_plane: Uuid) -> Self {
        Self {
            kind,
            organisation,
            control_plane: Some(control_plane),
            owner: None,
        }
    }

    /// A token of a user or system account.
    #[must_use]
    pub fn token(organisation: Uuid, owner: Uuid) -> Self {
        Self {
            kind: ResourceKind::Token,
            organisation,
            control_plane: None,
            owner: Some(owner),
        }
    }
}

/// Whether `principal` may do `action` to `resource`. Refuses unless a rule allows.
///
/// The rules today: nothing reaches over the border of an organisation. Within it a person is an
/// administrator. A system account may do everything to control planes, their configuration and
/// telemetry, and may see the rest, but changes neither people, accounts nor tokens: a token in a
/// pipeline must not be able to make itself new keys.
#[must_use]
pub fn permits(principal: &Principal, action: Action, resource: &Resource) -> bool {
    if principal.organisation != resource.organisation {
        return false;
    }
    match (principal.user, principal.system_account) {
        (Some(_), None) => is_open_to_people(action, resource.kind),
        (None, Some(_)) => is_open_to_machines(action, resource.kind),
        // Nobody, or two at once: not a principal this room makes.
        _ => false,
    }
}

fn is_open_to_people(action: Action, kind: ResourceKind) -> bool {
    match kind {
        ResourceKind::Organisation => matches!(action, Action::Read | Action::Update),
        ResourceKind::Identity
        | ResourceKind::Token
        | ResourceKind::ControlPlane
        | ResourceKind::Configuration => true,
        ResourceKind::Analytics => action == Action::Read,
    }
}

fn is_open_to_machines(action: Action, kind: ResourceKind) -> bool {
    match kind {
        ResourceKind::ControlPlane | ResourceKind::Configuration => true,
        ResourceKind::Organisation
        | ResourceKind::Identity
        | ResourceKind::Token
        | ResourceKind::Analytics => action == Action::Read,
    }
}
