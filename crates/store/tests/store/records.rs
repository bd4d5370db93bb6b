//! Records of the platform.

use gatehouse_store::{Expect, RecordOperation, RecordQuery, StoreError};
use serde_json::{Value, json};

use crate::common::*;

const SPACE: &str = "thing";

fn put(number: u128, owner: u128, name: &str, expect: Expect) -> RecordOperation {
    RecordOperation::Put {
        space: SPACE,
        id: id(number),
        owner: id(owner),
        body: json!({ "name": name }),
        unique: vec![("name", name.to_owned())],
        expect,
    }
}

async fn record_is_found_by_id_and_unique_value(place: Place) {
    let store = place.open().unwrap();
    store
        .record_put(
            SPACE,
            id(1),
            id(9),
            json!({ "a": [1] }),
            vec![("name", "one".to_owned())],
        )
        .await
        .unwrap();

    let record = store.record_get(SPACE, id(1)).await.unwrap().unwrap();
    assert_eq!(
        (record.owner, record.body.clone()),
        (id(9), json!({ "a": [1] }))
    );
    assert_eq!(
        store.record_find(SPACE, "name", "one").await.unwrap(),
        Some(record)
    );
    for (space, field, value) in [
        ("other", "name", "one"),
        (SPACE, "id", "one"),
        (SPACE, "name", "One"),
    ] {
        assert_eq!(store.record_find(space, field, value).await.unwrap(), None);
    }
    assert_eq!(store.record_get("other", id(1)).await.unwrap(), None);
}

async fn replaced_record_keeps_its_birth_and_frees_old_values(place: Place) {
    let store = place.open().unwrap();
    let born = clock::unix_millis();
    let frozen = clock::freeze(born);
    store
        .record_batch(vec![put(1, 9, "old", Expect::Anything)])
        .await
        .unwrap();
    drop(frozen);
    let _frozen = clock::freeze(born + 5_000);

    store
        .record_batch(vec![put(1, 8, "new", Expect::Anything)])
        .await
        .unwrap();

    let record = store.record_get(SPACE, id(1)).await.unwrap().unwrap();
    assert_eq!((record.created_at, record.updated_at), (born, born + 5_000));
    assert_eq!(record.owner, id(8));
    assert_eq!(store.record_find(SPACE, "name", "old").await.unwrap(), None);
    store
        .record_batch(vec![put(2, 9, "old", Expect::Absent)])
        .await
        .unwrap();
}

async fn failing_record_operation_undoes_the_batch(place: Place) {
    let store = place.open().unwrap();
    store
        .record_batch(vec![put(1, 9, "taken", Expect::Absent)])
        .await
        .unwrap();

    let batch = vec![
        put(2, 9, "free", Expect::Absent),
        put(3, 9, "taken", Expect::Absent),
    ];
    let error = store.record_batch(batch).await.unwrap_err();

    let StoreError::Unique {
        kind,
        fields,
        holder,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((kind.as_str(), holder), (SPACE, id(1)));
    assert_eq!(Value::Object(fields), json!({ "name": "taken" }));
    assert_eq!(store.record_get(SPACE, id(2)).await.unwrap(), None);
}

async fn conditions_of_a_put_are_kept(place: Place) {
    let store = place.open().unwrap();
    let kind = SPACE.to_owned();
    let missing = StoreError::NotFound {
        kind: kind.clone(),
        id: id(1),
    };
    let read = Expect::Body(json!({ "name": "a" }));
    for expect in [Expect::Present, read.clone()] {
        assert_eq!(
            store
                .record_batch(vec![put(1, 9, "a", expect)])
                .await
                .unwrap_err(),
            missing
        );
    }
    store
        .record_batch(vec![put(1, 9, "a", Expect::Absent)])
        .await
        .unwrap();
    let error = store
        .record_batch(vec![put(1, 9, "a", Expect::Absent)])
        .await
        .unwrap_err();
    assert_eq!(
        error,
        StoreError::PrimaryKey {
            kind: kind.clone(),
            id: id(1)
        }
    );

    store
        .record_batch(vec![put(1, 9, "b", read.clone())])
        .await
        .unwrap();
    let error = store
        .record_batch(vec![put(1, 9, "c", read)])
        .await
        .unwrap_err();
    assert_eq!(error, StoreError::Stale { kind, id: id(1) });
    store
        .record_batch(vec![put(1, 9, "d", Expect::Present)])
        .await
        .unwrap();
}

async fn records_are_listed_and_removed_by_owner(place: Place) {
    let store = place.open().unwrap();
    let rows = (1..=6)
        .map(|n| put(n, n % 2, &format!("n{n}"), Expect::Absent))
        .collect();
    store.record_batch(rows).await.unwrap();
    let listed = async |query| -> Vec<u128> {
        let records = store.record_list(SPACE, query).await.unwrap();
        records.iter().map(|record| record.id.as_u128()).collect()
    };

    assert_eq!(listed(RecordQuery::default()).await, [1, 2, 3, 4, 5, 6]);
    let odd = RecordQuery {
        owner: Some(id(1)),
        ..RecordQuery::default()
    };
    assert_eq!(listed(odd).await, [1, 3, 5]);
    assert_eq!(
        listed(RecordQuery {
            after: Some(id(1)),
            size: 1,
            ..odd
        })
        .await,
        [3]
    );
    assert_eq!(store.record_count(SPACE, None).await.unwrap(), 6);
    assert_eq!(store.record_count(SPACE, Some(id(0))).await.unwrap(), 3);

    let owned = RecordOperation::DeleteOwned {
        space: SPACE,
        owner: id(1),
    };
    store.record_batch(vec![owned]).await.unwrap();

    assert_eq!(listed(RecordQuery::default()).await, [2, 4, 6]);
    assert_eq!(store.record_find(SPACE, "name", "n1").await.unwrap(), None);
    store.record_delete(SPACE, id(2)).await.unwrap();
    let error = store.record_delete(SPACE, id(2)).await.unwrap_err();
    assert_eq!(
        error,
        StoreError::NotFound {
            kind: SPACE.to_owned(),
            id: id(2)
        }
    );
}

on_both_stores! {
    record_is_found_by_id_and_unique_value,
    replaced_record_keeps_its_birth_and_frees_old_values,
    failing_record_operation_undoes_the_batch,
    conditions_of_a_put_are_kept,
    records_are_listed_and_removed_by_owner,
}
