//! Rows of a control plane: writing, tenants, what the change log and the audit trail say.

use crate::common::*;
use gatehouse_store::{Actor, Batch, ChangeKind, Changes, ListQuery, Operation, StoreError};
use serde_json::json;

async fn inserted_row_is_read_back_as_it_was_sent(place: Place) {
    let store = place.open().unwrap();
    let row = body(json!({
        "id": id(1), "name": "orders", "tags": ["a"], "ratio": 0.1, "big": 9_007_199_254_740_993_u64,
        "empty": {}, "list": [1, null, {"z": 1, "a": 2}], "text": "äß\u{0}\"", "none": null,
    }));

    apply(&store, vec![insert("services", row.clone())])
        .await
        .unwrap();

    let read = store.get(PLANE, "services", id(1)).await.unwrap().unwrap();
    assert_eq!(read, row);
    assert_eq!(
        serde_json::to_string(&read).unwrap(),
        serde_json::to_string(&row).unwrap()
    );
}

async fn find_reads_by_unique_field_and_follows_a_rename(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![insert("services", service(1, "old"))])
        .await
        .unwrap();

    let rename = Operation::Update {
        kind: "services",
        id: id(1),
        body: service(1, "new"),
    };
    apply(&store, vec![rename]).await.unwrap();

    assert_eq!(
        store.find(PLANE, "services", "name", "old").await.unwrap(),
        None
    );
    let found = store
        .find(PLANE, "services", "name", "new")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, service(1, "new"));
    assert_eq!(
        store
            .find(PLANE, "services", "host", "example.com")
            .await
            .unwrap(),
        None
    );
    // The name that was given up is free again.
    apply(&store, vec![insert("services", service(2, "old"))])
        .await
        .unwrap();
}

async fn row_with_a_taken_id_is_refused(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![insert("services", service(1, "a"))])
        .await
        .unwrap();

    let error = apply(&store, vec![insert("services", service(1, "b"))])
        .await
        .unwrap_err();

    assert_eq!(
        error,
        StoreError::PrimaryKey {
            kind: "services".to_owned(),
            id: id(1)
        }
    );
}

async fn bodies_that_cannot_be_addressed_are_refused(place: Place) {
    let store = place.open().unwrap();
    for bad in [
        json!({}),
        json!({ "id": 7 }),
        json!({ "id": null }),
        json!({ "id": "x" }),
    ] {
        let error = apply(&store, vec![insert("services", body(bad))])
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Malformed { .. }), "{error}");
    }
    let other_id = Operation::Update {
        kind: "services",
        id: id(9),
        body: service(1, "a"),
    };
    let error = apply(&store, vec![other_id]).await.unwrap_err();
    assert!(matches!(error, StoreError::Malformed { .. }), "{error}");

    let unknown = StoreError::UnknownKind {
        kind: "gadgets".to_owned(),
    };
    let error = apply(&store, vec![insert("gadgets", service(1, "a"))])
        .await
        .unwrap_err();
    assert_eq!(error, unknown);
    assert_eq!(
        store.get(PLANE, "gadgets", id(1)).await.unwrap_err(),
        unknown
    );
    assert_eq!(store.count(PLANE, "gadgets").await.unwrap_err(), unknown);
}

async fn update_and_delete_of_a_missing_row_are_refused(place: Place) {
    let store = place.open().unwrap();
    let missing = StoreError::NotFound {
        kind: "services".to_owned(),
        id: id(1),
    };

    let update = Operation::Update {
        kind: "services",
        id: id(1),
        body: service(1, "a"),
    };
    assert_eq!(apply(&store, vec![update]).await.unwrap_err(), missing);
    assert_eq!(
        apply(&store, vec![delete("services", 1)])
            .await
            .unwrap_err(),
        missing
    );
}

async fn update_of_a_row_that_changed_meanwhile_is_refused(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![insert("services", service(1, "a"))])
        .await
        .unwrap();
    let read = store.get(PLANE, "services", id(1)).await.unwrap().unwrap();
    let change = |name: &str| Operation::UpdateFrom {
        kind: "services",
        id: id(1),
        previous: read.clone(),
        body: service(1, name),
    };

    apply(&store, vec![change("first")]).await.unwrap();
    let error = apply(&store, vec![change("second")]).await.unwrap_err();

    assert_eq!(
        error,
        StoreError::Stale {
            kind: "services".to_owned(),
            id: id(1)
        }
    );
    let kept = store.get(PLANE, "services", id(1)).await.unwrap().unwrap();
    assert_eq!(kept["name"], "first");
}

async fn failing_operation_undoes_the_whole_batch(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![insert("services", service(1, "kept"))])
        .await
        .unwrap();

    let error = apply(
        &store,
        vec![
            insert("services", service(2, "two")),
            Operation::Upsert {
                kind: "services",
                body: service(1, "changed"),
            },
            insert("services", service(3, "two")),
        ],
    )
    .await
    .unwrap_err();

    assert!(matches!(error, StoreError::Unique { .. }));
    assert_eq!(
        store.get(PLANE, "services", id(1)).await.unwrap().unwrap()["name"],
        "kept"
    );
    assert_eq!(store.count(PLANE, "services").await.unwrap(), 1);
    assert_eq!(store.version(PLANE).await.unwrap(), 1);
    assert!(
        store
            .find(PLANE, "services", "name", "two")
            .await
            .unwrap()
            .is_none()
    );
}

async fn control_planes_do_not_meet(place: Place) {
    let store = place.open().unwrap();
    let mut mine = service(1, "orders");
    mine.insert("tags".to_owned(), json!(["t"]));
    apply(&store, vec![insert("services", mine)]).await.unwrap();

    // Same id, same name: no conflict, because nothing is shared.
    let theirs = service(1, "orders");
    apply_to(
        &store,
        OTHER_PLANE,
        vec![insert("services", theirs.clone())],
    )
    .await
    .unwrap();
    // A reference does not reach over the border.
    let only_mine = insert("services", service(2, "mine"));
    apply(&store, vec![only_mine]).await.unwrap();
    let across = vec![insert("routes", route(3, "r", 2))];
    let error = apply_to(&store, OTHER_PLANE, across).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }));

    apply_to(&store, OTHER_PLANE, vec![delete("services", 1)])
        .await
        .unwrap();

    assert!(store.get(PLANE, "services", id(1)).await.unwrap().is_some());
    assert_eq!(
        store.get(OTHER_PLANE, "services", id(1)).await.unwrap(),
        None
    );
    assert_eq!(
        store
            .find(OTHER_PLANE, "services", "name", "mine")
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.count(OTHER_PLANE, "services").await.unwrap(), 0);
    assert!(
        store
            .tags(OTHER_PLANE, None, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .list(OTHER_PLANE, "services", ListQuery::default())
            .await
            .unwrap()
            .rows,
        []
    );
    assert!(store.export(OTHER_PLANE).await.unwrap().tables.is_empty());
    assert_eq!(store.version(PLANE).await.unwrap(), 2);
    assert_eq!(store.version(OTHER_PLANE).await.unwrap(), 2);
    assert_eq!(store.audit(OTHER_PLANE, 0, 10).await.unwrap().len(), 2);
}

async fn purge_takes_everything_of_one_control_plane(place: Place) {
    let store = place.open().unwrap();
    for plane in [PLANE, OTHER_PLANE] {
        let rows = service_with_route();
        apply_to(&store, plane, rows).await.unwrap();
    }

    store.purge(PLANE, Actor::user(id(77))).await.unwrap();

    assert!(store.export(PLANE).await.unwrap().tables.is_empty());
    assert_eq!(store.version(PLANE).await.unwrap(), 0);
    assert_eq!(store.export(OTHER_PLANE).await.unwrap().tables.len(), 2);
    let audit = store.audit(PLANE, 0, 10).await.unwrap();
    assert_eq!(audit.last().unwrap().actor_id, Some(id(77)));
    // Nothing is left that a new control plane of the same id could stumble over.
    apply(&store, vec![insert("services", service(1, "s"))])
        .await
        .unwrap();
}

async fn versions_count_batches_and_the_log_names_the_rows(place: Place) {
    let store = place.open().unwrap();
    let mut notices = store.subscribe();
    let rows = vec![
        insert("services", service(1, "a")),
        insert("services", service(2, "b")),
    ];
    assert_eq!(apply(&store, rows).await.unwrap().version, 1);
    assert_eq!(
        apply(&store, vec![delete("services", 1)])
            .await
            .unwrap()
            .version,
        2
    );
    let empty = apply(&store, vec![]).await.unwrap();
    assert_eq!((empty.version, empty.changed), (2, 0));

    let log = |changes: Changes| match changes {
        Changes::Since(changes) => changes
            .into_iter()
            .map(|c| (c.version, c.id, c.change))
            .collect::<Vec<_>>(),
        Changes::TooOld => panic!("too old"),
    };
    let (written, removed) = (ChangeKind::Written, ChangeKind::Removed);
    let all = log(store.changes(PLANE, 0).await.unwrap());
    assert_eq!(
        all,
        [
            (1, id(1), written),
            (1, id(2), written),
            (2, id(1), removed)
        ]
    );
    assert_eq!(
        log(store.changes(PLANE, 1).await.unwrap()),
        [(2, id(1), removed)]
    );
    assert_eq!(log(store.changes(PLANE, 2).await.unwrap()), []);
    // A version from another life of the store is not answered with silence.
    assert_eq!(store.changes(PLANE, 9).await.unwrap(), Changes::TooOld);

    for version in [1, 2] {
        let notice = notices.recv().await.unwrap();
        assert_eq!((notice.control_plane, notice.version), (PLANE, version));
    }
}

async fn change_log_reaches_back_a_thousand_versions(place: Place) {
    let store = place.open().unwrap();
    let writes: Vec<_> = (0..1_010)
        .map(|n| {
            let store = store.clone();
            let write = Operation::Upsert {
                kind: "services",
                body: service(1, &format!("s{n}")),
            };
            tokio::spawn(async move { apply(&store, vec![write]).await })
        })
        .collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }

    assert_eq!(store.version(PLANE).await.unwrap(), 1_010);
    assert_eq!(store.changes(PLANE, 9).await.unwrap(), Changes::TooOld);
    let Changes::Since(changes) = store.changes(PLANE, 10).await.unwrap() else {
        panic!("the log is too short");
    };
    assert_eq!(changes.len(), 1_000);
}

async fn audit_says_who_changed_what(place: Place) {
    let store = place.open().unwrap();
    let operations = (1..=130)
        .map(|n| insert("services", service(n, &format!("s{n}"))))
        .collect();
    let actor = Actor::user(id(42));
    store
        .apply(Batch {
            control_plane: PLANE,
            actor,
            operations,
        })
        .await
        .unwrap();

    let entries = store.audit(PLANE, 0, 10).await.unwrap();

    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (entry.actor_kind.as_str(), entry.actor_id),
        ("user", Some(id(42)))
    );
    assert_eq!(entry.version, 1);
    let rows = entry.summary.as_array().unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(
        rows[0],
        json!({ "kind": "services", "id": id(1), "change": "written" })
    );
    assert_eq!(rows[100], json!({ "further": 30 }));
    assert!(
        store
            .audit(PLANE, entry.sequence, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

on_both_stores! {
    inserted_row_is_read_back_as_it_was_sent,
    find_reads_by_unique_field_and_follows_a_rename,
    row_with_a_taken_id_is_refused,
    bodies_that_cannot_be_addressed_are_refused,
    update_and_delete_of_a_missing_row_are_refused,
    update_of_a_row_that_changed_meanwhile_is_refused,
    failing_operation_undoes_the_whole_batch,
    control_planes_do_not_meet,
    purge_takes_everything_of_one_control_plane,
    versions_count_batches_and_the_log_names_the_rows,
    change_log_reaches_back_a_thousand_versions,
    audit_says_who_changed_what,
}
