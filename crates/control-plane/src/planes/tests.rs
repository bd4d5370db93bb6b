use std::path::Path;
use std::sync::Arc;

use store::{NoEntities, StoreOptions};
use test_support::TempDir;

use super::*;
use crate::model::{ClusterType, NodeSeen};

async fn open(path: &Path) -> Planes {
    let store = Store::open(StoreOptions {
        location: path.join("geo.db").into(),
        sealer: Arc::new(pki::Sealer::from_key(&[7; 32]).unwrap()),
        catalogue: Arc::new(NoEntities),
    });
    let geo = Geo {
        name: "us".to_owned(),
        base_domain: "konghq.localhost".to_owned(),
        port: 443,
    };
    Planes::open(geo, store.unwrap()).await.unwrap()
}

fn named(name: &str) -> NewControlPlane {
    NewControlPlane {
        name: name.to_owned(),
        ..NewControlPlane::default()
    }
}

fn labelled(key: &str) -> PatchControlPlane {
    PatchControlPlane {
        description: Some(key.to_owned()),
        ..PatchControlPlane::default()
    }
}

#[tokio::test]
async fn prefixes_are_ten_hexadecimal_characters_and_differ() {
    let folder = TempDir::new("planes");
    let planes = open(folder.path()).await;
    let organisation = Uuid::new_v4();
    let one = planes.create(organisation, named("one")).await.unwrap();
    let two = planes.create(Uuid::new_v4(), named("one")).await.unwrap();

    assert_ne!(one.prefix, two.prefix);
    for plane in [&one, &two] {
        assert!(plane.prefix.len() == 10);
        assert!(
            plane
                .prefix
                .bytes()
                .all(|b| b"0123456789abcdef".contains(&b))
        );
        let found = planes.by_prefix(&plane.prefix).await.unwrap();
        assert_eq!(found.as_ref(), Some(plane));
    }
    assert_eq!(planes.by_prefix("0123456789").await.unwrap(), None);
}

#[tokio::test]
async fn the_hundred_and_first_control_plane_is_refused() {
    let folder = TempDir::new("planes");
    let planes = open(folder.path()).await;
    let organisation = Uuid::new_v4();
    let all = (0..=MAX_CONTROL_PLANES).map(|number| {
        let planes = planes.clone();
        tokio::spawn(async move {
            planes
                .create(organisation, named(&format!("p-{number}")))
                .await
        })
    });
    let mut refused = Vec::new();
    for task in all.collect::<Vec<_>>() {
        refused.extend(task.await.unwrap().err());
    }

    let [PlaneError::Invalid(found)] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(found[0].field, "object");
    planes
        .create(Uuid::new_v4(), named("elsewhere"))
        .await
        .unwrap();
}

#[tokio::test]
async fn changes_at_one_time_are_all_kept() {
    let folder = TempDir::new("planes");
    let planes = open(folder.path()).await;
    let organisation = Uuid::new_v4();
    let group = NewControlPlane {
        cluster_type: ClusterType::Group,
        ..named("group")
    };
    let group = planes.create(organisation, group).await.unwrap().id;
    let mut ids = Vec::new();
    for number in 0..10 {
        let plane = planes
            .create(organisation, named(&format!("p-{number}")))
            .await
            .unwrap();
        ids.push(plane.id);
    }

    let tasks: Vec<_> = ids
        .iter()
        .map(|id| {
            let (planes, id) = (planes.clone(), *id);
            tokio::spawn(async move {
                let change = MemberChange::Add;
                planes
                    .change_members(organisation, group, change, &[id])
                    .await
                    .unwrap();
                planes
                    .patch(organisation, group, labelled(&id.to_string()))
                    .await
                    .unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }

    let mut members = planes.members(group).await.unwrap();
    members.sort();
    ids.sort();
    assert_eq!(members, ids);
}

#[tokio::test]
async fn what_must_end_connections_is_told() {
    let folder = TempDir::new("planes");
    let planes = open(folder.path()).await;
    let organisation = Uuid::new_v4();
    let plane = planes.create(organisation, named("one")).await.unwrap();
    let authority = test_support::TestAuthority::new("ca");
    let pem = |name: &str| authority.client(name).certificate;
    let pin = planes.pin(plane.id, &pem("one"), "").await.unwrap();
    let mut events = planes.events();

    planes
        .replace_pinned(plane.id, pin.id, &pin.cert, "renamed")
        .await
        .unwrap();
    planes
        .replace_pinned(plane.id, pin.id, &pem("two"), "")
        .await
        .unwrap();
    planes.unpin(plane.id, pin.id).await.unwrap();
    planes
        .delete(organisation, plane.id, Actor::system())
        .await
        .unwrap();

    let revoked = PlaneEvent::CertificateRevoked {
        control_plane: plane.id,
        certificate: pin.id,
    };
    let deleted = PlaneEvent::PlaneDeleted {
        control_plane: plane.id,
    };
    for expected in [revoked, revoked, deleted] {
        assert_eq!(events.try_recv().unwrap(), expected);
    }
    assert!(events.try_recv().is_err(), "another title ends nothing");
}

#[tokio::test]
async fn certificates_of_another_control_plane_are_missing() {
    let folder = TempDir::new("planes");
    let planes = open(folder.path()).await;
    let organisation = Uuid::new_v4();
    let one = planes.create(organisation, named("one")).await.unwrap();
    let two = planes.create(organisation, named("two")).await.unwrap();
    let cert = test_support::TestAuthority::new("ca")
        .client("a")
        .certificate;
    let pin = planes.pin(one.id, &cert, "").await.unwrap();

    for outcome in [
        planes.pinned_by_id(two.id, pin.id).await.map(drop),
        planes
            .replace_pinned(two.id, pin.id, &cert, "")
            .await
            .map(drop),
        planes.unpin(two.id, pin.id).await,
    ] {
        assert!(
            matches!(outcome, Err(PlaneError::NotFound { .. })),
            "{outcome:?}"
        );
    }
    planes.pin(two.id, &cert, "").await.unwrap();
    assert_eq!(planes.pinned(one.id).await.unwrap(), [pin]);
}

#[tokio::test]
async fn nodes_are_remembered_over_a_restart_for_a_day() {
    let folder = TempDir::new("planes");
    let control_plane = Uuid::new_v4();
    let seen = |node: u128, hash: &str| NodeSeen {
        control_plane,
        node_id: Uuid::from_u128(node),
        version: "3.9.1".to_owned(),
        config_hash: Some(hash.to_owned()),
        is_connected: true,
        ..NodeSeen::default()
    };
    let start = clock::unix_millis();
    {
        let planes = open(folder.path()).await;
        let _guard = clock::freeze(start - 25 * 60 * 60 * 1000);
        planes.record_node(seen(1, "old")).await.unwrap();
        drop(_guard);
        planes.record_node(seen(2, "new")).await.unwrap();
        assert!(planes.nodes(control_plane)[0].is_connected);
        assert_eq!(
            planes.nodes(control_plane).len(),
            1,
            "the first is forgotten"
        );
    }

    let planes = open(folder.path()).await;

    let nodes = planes.nodes(control_plane);
    assert_eq!(nodes.len(), 1);
    assert_eq!(
        (nodes[0].id, nodes[0].config_hash.as_str()),
        (Uuid::from_u128(2), "new")
    );
    assert!(!nodes[0].is_connected);
    let ping = NodeSeen {
        config_hash: None,
        ..seen(2, "")
    };
    planes.record_node(ping).await.unwrap();
    assert_eq!(
        planes.nodes(control_plane)[0].config_hash,
        "new",
        "nothing said, nothing changed"
    );
}
