//! The one place that decides.

use gatehouse_identity::{Action, Principal, PrincipalKind, Resource, ResourceKind, permits};
use uuid::Uuid;

const MINE: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);
const ACTIONS: [Action; 4] = [Action::Read, Action::Create, Action::Update, Action::Delete];
const KINDS: [ResourceKind; 6] = [
    ResourceKind::Organisation,
    ResourceKind::Identity,
    ResourceKind::Token,
    ResourceKind::ControlPlane,
    ResourceKind::Configuration,
    ResourceKind::Analytics,
];

fn person() -> Principal {
    Principal {
        organisation: MINE,
        user: Some(Uuid::from_u128(10)),
        system_account: None,
        kind: PrincipalKind::PersonalToken,
        name: "a@b".to_owned(),
    }
}

fn machine() -> Principal {
    let system_account = Some(Uuid::from_u128(11));
    Principal {
        user: None,
        system_account,
        kind: PrincipalKind::SystemToken,
        ..person()
    }
}

fn allowed(principal: &Principal, organisation: Uuid) -> Vec<(ResourceKind, Vec<Action>)> {
    let of = |kind| {
        let resource = Resource::of_plane(kind, organisation, Uuid::from_u128(99));
        let may = |action: &Action| permits(principal, *action, &resource);
        (kind, ACTIONS.into_iter().filter(may).collect())
    };
    KINDS.map(of).to_vec()
}

#[test]
fn nothing_of_another_organisation_is_allowed() {
    for principal in [person(), machine()] {
        assert!(
            allowed(&principal, THEIRS)
                .iter()
                .all(|(_, actions)| actions.is_empty())
        );
        let token = Resource::token(THEIRS, principal.id().unwrap());
        assert!(!permits(&principal, Action::Read, &token));
    }
}

#[test]
fn person_is_administrator_of_their_organisation() {
    let all = ACTIONS.to_vec();
    let expected = [
        (
            ResourceKind::Organisation,
            vec![Action::Read, Action::Update],
        ),
        (ResourceKind::Identity, all.clone()),
        (ResourceKind::Token, all.clone()),
        (ResourceKind::ControlPlane, all.clone()),
        (ResourceKind::Configuration, all),
        (ResourceKind::Analytics, vec![Action::Read]),
    ];
    assert_eq!(allowed(&person(), MINE), expected);
}

#[test]
fn machine_configures_but_makes_no_keys() {
    let (all, read) = (ACTIONS.to_vec(), vec![Action::Read]);
    let expected = [
        (ResourceKind::Organisation, read.clone()),
        (ResourceKind::Identity, read.clone()),
        (ResourceKind::Token, read.clone()),
        (ResourceKind::ControlPlane, all.clone()),
        (ResourceKind::Configuration, all),
        (ResourceKind::Analytics, read),
    ];
    assert_eq!(allowed(&machine(), MINE), expected);
}

#[test]
fn principal_that_is_nobody_or_two_is_refused() {
    let nobody = Principal {
        user: None,
        ..person()
    };
    let both = Principal {
        system_account: Some(Uuid::from_u128(11)),
        ..person()
    };
    for principal in [nobody, both] {
        assert!(
            allowed(&principal, MINE)
                .iter()
                .all(|(_, actions)| actions.is_empty())
        );
    }
}
