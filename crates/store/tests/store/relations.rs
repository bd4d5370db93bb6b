//! What binds rows of a control plane to each other: unique values and references.

use crate::common::*;
use gatehouse_store::{Operation, StoreError};
use serde_json::json;

async fn second_row_with_a_name_is_refused_and_names_the_holder(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![insert("services", service(1, "orders"))])
        .await
        .unwrap();

    let error = apply(&store, vec![insert("services", service(2, "orders"))])
        .await
        .unwrap_err();

    let fields = body(json!({ "name": "orders" }));
    let expected = StoreError::Unique {
        kind: "services".to_owned(),
        fields,
        holder: id(1),
    };
    assert_eq!(error, expected);
    assert_eq!(store.count(PLANE, "services").await.unwrap(), 1);
    assert_eq!(store.version(PLANE).await.unwrap(), 1);
}

async fn composite_values_are_unique_together_only(place: Place) {
    let store = place.open().unwrap();
    let note = |number, title: &str, service: u128| {
        body(json!({ "id": id(number), "title": title, "service": { "id": id(service) } }))
    };
    apply(
        &store,
        vec![
            insert("services", service(1, "a")),
            insert("services", service(2, "b")),
            insert("notes", note(3, "t", 1)),
            insert("notes", note(4, "t", 2)),
        ],
    )
    .await
    .unwrap();

    let error = apply(&store, vec![insert("notes", note(5, "t", 2))])
        .await
        .unwrap_err();

    let StoreError::Unique { fields, holder, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(
        fields,
        body(json!({ "title": "t", "service": { "id": id(2) } }))
    );
    assert_eq!(holder, id(4));
    let value = format!("t:{}", id(1));
    let found = store
        .find_composite(PLANE, "notes", &["title", "service"], &value)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, note(3, "t", 1));
}

async fn errors_about_credentials_do_not_print_them(place: Place) {
    let store = place.open().unwrap();
    apply(
        &store,
        vec![
            insert("consumers", consumer(1, "alice")),
            insert("keyauth_credentials", credential(2, "very-secret", 1)),
        ],
    )
    .await
    .unwrap();

    let again = insert("keyauth_credentials", credential(3, "very-secret", 1));
    let printed = format!("{again:?}");
    let error = apply(&store, vec![again]).await.unwrap_err();

    assert!(matches!(error, StoreError::Unique { .. }));
    for text in [printed, error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("very-secret"), "{text}");
    }
}

async fn reference_to_a_missing_row_is_refused(place: Place) {
    let store = place.open().unwrap();

    let error = apply(&store, vec![insert("routes", route(2, "r", 1))])
        .await
        .unwrap_err();

    let expected = StoreError::Foreign {
        kind: "routes".to_owned(),
        id: id(2),
        field: "service".to_owned(),
        target_kind: "services".to_owned(),
        target: id(1),
    };
    assert_eq!(error, expected);
    // The parent may come earlier in the same batch.
    apply(&store, service_with_route()).await.unwrap();
}

async fn restricting_reference_keeps_its_target(place: Place) {
    let store = place.open().unwrap();
    apply(&store, service_with_route()).await.unwrap();

    let error = apply(&store, vec![delete("services", 1)])
        .await
        .unwrap_err();

    let expected = StoreError::Referenced {
        kind: "services".to_owned(),
        id: id(1),
        by: "routes".to_owned(),
        by_id: id(2),
    };
    assert_eq!(error, expected);
    assert!(store.get(PLANE, "services", id(1)).await.unwrap().is_some());
    // Once the route points elsewhere the service may go.
    let free = body(json!({ "id": id(2), "name": "r", "service": null }));
    let free = Operation::Update {
        kind: "routes",
        id: id(2),
        body: free,
    };
    apply(&store, vec![free, delete("services", 1)])
        .await
        .unwrap();
}

async fn cascading_and_clearing_references_follow_their_target(place: Place) {
    let store = place.open().unwrap();
    let note = body(json!({
        "id": id(5), "title": "t", "service": { "id": id(3) }, "consumer": null,
    }));
    apply(
        &store,
        vec![
            insert("consumers", consumer(1, "alice")),
            insert("keyauth_credentials", credential(2, "k", 1)),
            insert("services", service(3, "s")),
            insert("notes", note),
        ],
    )
    .await
    .unwrap();

    let applied = apply(&store, vec![delete("consumers", 1), delete("services", 3)])
        .await
        .unwrap();

    assert_eq!(applied.changed, 4);
    assert_eq!(
        store
            .get(PLANE, "keyauth_credentials", id(2))
            .await
            .unwrap(),
        None
    );
    let note = store.get(PLANE, "notes", id(5)).await.unwrap().unwrap();
    assert_eq!(note["service"], json!(null));
    assert_eq!(note["title"], "t");
    // The key of the credential that went along is free.
    let fresh = vec![
        insert("consumers", consumer(6, "bob")),
        insert("keyauth_credentials", credential(7, "k", 6)),
    ];
    apply(&store, fresh).await.unwrap();
}

async fn of_two_writers_of_one_name_exactly_one_succeeds(place: Place) {
    let store = place.open().unwrap();
    let tasks: Vec<_> = (0..40_u128)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let name = format!("name-{}", number / 2);
                apply(&store, vec![insert("services", service(number, &name))]).await
            })
        })
        .collect();

    let mut succeeded = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => succeeded += 1,
            Err(error) => assert!(matches!(error, StoreError::Unique { .. }), "{error}"),
        }
    }

    assert_eq!(succeeded, 20);
    assert_eq!(store.count(PLANE, "services").await.unwrap(), 20);
    assert_eq!(store.version(PLANE).await.unwrap(), 20);
}

on_both_stores! {
    second_row_with_a_name_is_refused_and_names_the_holder,
    composite_values_are_unique_together_only,
    errors_about_credentials_do_not_print_them,
    reference_to_a_missing_row_is_refused,
    restricting_reference_keeps_its_target,
    cascading_and_clearing_references_follow_their_target,
    of_two_writers_of_one_name_exactly_one_succeeds,
}
