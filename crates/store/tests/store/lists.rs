//! Lists: paging, filters, tags.

use gatehouse_store::{Body, ListQuery, Order, Store, TagFilter, TagRow};
use serde_json::json;

use crate::common::*;

async fn walk(store: &Store, query: ListQuery) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), query.after);
    loop {
        let query = ListQuery {
            after,
            ..query.clone()
        };
        let page = store.list(PLANE, "services", query).await.unwrap();
        let name = |row: &Body| row["name"].as_str().unwrap().to_owned();
        pages.push(page.rows.iter().map(name).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

async fn list_pages_by_id_without_gap_or_repeat(place: Place) {
    let store = place.open().unwrap();
    // Added against the order of the ids.
    let rows = (1..=7)
        .rev()
        .map(|n| insert("services", service(n, &format!("s{n}"))))
        .collect();
    apply(&store, rows).await.unwrap();

    let by_id = walk(
        &store,
        ListQuery {
            size: 3,
            ..ListQuery::default()
        },
    )
    .await;
    assert_eq!(
        by_id,
        [vec!["s1", "s2", "s3"], vec!["s4", "s5", "s6"], vec!["s7"]]
    );
    let whole = walk(
        &store,
        ListQuery {
            size: 7,
            ..ListQuery::default()
        },
    )
    .await;
    assert_eq!(whole.len(), 1);
    let newest = ListQuery {
        size: 3,
        order: Order::Newest,
        ..ListQuery::default()
    };
    let by_age = walk(&store, newest.clone()).await;
    assert_eq!(
        by_age,
        [vec!["s1", "s2", "s3"], vec!["s4", "s5", "s6"], vec!["s7"]]
    );
    let skipping = ListQuery { skip: 5, ..newest };
    assert_eq!(walk(&store, skipping).await[0], ["s6", "s7"]);
    // A page may start after a row that is gone.
    apply(&store, vec![delete("services", 3)]).await.unwrap();
    let after = ListQuery {
        after: Some(id(3)),
        ..ListQuery::default()
    };
    assert_eq!(walk(&store, after).await[0], ["s4", "s5", "s6", "s7"]);
}

async fn list_size_has_a_default_and_a_limit(place: Place) {
    let store = place.open().unwrap();
    let rows = (1..=1_100)
        .map(|n| insert("services", service(n, &format!("s{n}"))))
        .collect();
    apply(&store, rows).await.unwrap();

    for (size, given) in [(0, 100), (1, 1), (1_000, 1_000), (5_000, 1_000)] {
        let query = ListQuery {
            size,
            ..ListQuery::default()
        };
        let page = store.list(PLANE, "services", query).await.unwrap();
        assert_eq!(page.rows.len(), given);
        assert!(page.next.is_some());
    }
}

async fn lists_filter_by_tags_and_parent(place: Place) {
    let store = place.open().unwrap();
    let tagged = |number: u128, tags: &[&str]| {
        let mut row = service(number, &format!("s{number}"));
        row.insert("tags".to_owned(), json!(tags));
        insert("services", row)
    };
    let rows = vec![
        tagged(1, &["a", "b"]),
        tagged(2, &["b"]),
        tagged(3, &["a", "c", "a"]),
        tagged(4, &[]),
        insert("services", service(5, "s5")),
        insert("routes", route(6, "r6", 1)),
        insert("routes", route(7, "r7", 2)),
        insert("routes", route(8, "r8", 1)),
    ];
    apply(&store, rows).await.unwrap();

    let tags = |filter| ListQuery {
        size: 2,
        tags: Some(filter),
        ..ListQuery::default()
    };
    let own = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let all = |names: &[&str]| tags(TagFilter::All(own(names)));
    let any = |names: &[&str]| tags(TagFilter::Any(own(names)));
    assert_eq!(walk(&store, all(&["a"])).await, [["s1", "s3"]]);
    assert_eq!(walk(&store, all(&["a", "b"])).await, [["s1"]]);
    assert_eq!(
        walk(&store, any(&["b", "c"])).await,
        [vec!["s1", "s2"], vec!["s3"]]
    );
    assert_eq!(walk(&store, any(&["none"])).await, [Vec::<String>::new()]);
}

async fn lists_below_a_parent_page_by_id(place: Place) {
    let store = place.open().unwrap();
    let rows = vec![
        insert("services", service(1, "s1")),
        insert("services", service(2, "s2")),
        insert("services", service(5, "s5")),
        insert("routes", route(6, "r6", 1)),
        insert("routes", route(7, "r7", 2)),
        insert("routes", route(8, "r8", 1)),
    ];
    apply(&store, rows).await.unwrap();

    let below = |service| ListQuery {
        size: 1,
        parent: Some(("service".to_owned(), id(service))),
        ..ListQuery::default()
    };
    let first = store.list(PLANE, "routes", below(1)).await.unwrap();
    assert_eq!(
        (first.rows[0]["name"].clone(), first.next),
        (json!("r6"), Some(id(6)))
    );
    let rest = ListQuery {
        after: first.next,
        ..below(1)
    };
    let rest = store.list(PLANE, "routes", rest).await.unwrap();
    assert_eq!(
        (rest.rows[0]["name"].clone(), rest.next),
        (json!("r8"), None)
    );
    assert!(
        store
            .list(PLANE, "routes", below(5))
            .await
            .unwrap()
            .rows
            .is_empty()
    );
}

async fn tags_are_listed_with_their_rows(place: Place) {
    let store = place.open().unwrap();
    let tagged = |number: u128, tags: &[&str]| {
        let mut row = service(number, &format!("s{number}"));
        row.insert("tags".to_owned(), json!(tags));
        insert("services", row)
    };
    let rows = vec![
        tagged(1, &["a", "b"]),
        tagged(2, &["b"]),
        tagged(3, &["a", "c", "a"]),
    ];
    apply(&store, rows).await.unwrap();

    let row = |tag: &str, number| TagRow {
        tag: tag.to_owned(),
        kind: "services".to_owned(),
        id: id(number),
    };
    let every = store.tags(PLANE, None, None, 10).await.unwrap();
    assert_eq!(
        every,
        [
            row("a", 1),
            row("a", 3),
            row("b", 1),
            row("b", 2),
            row("c", 3)
        ]
    );
    let rest = store.tags(PLANE, None, Some(row("a", 3)), 2).await.unwrap();
    assert_eq!(rest, [row("b", 1), row("b", 2)]);
    assert_eq!(
        store
            .tags(PLANE, Some("b".to_owned()), None, 10)
            .await
            .unwrap()
            .len(),
        2
    );
}

on_both_stores! {
    list_pages_by_id_without_gap_or_repeat,
    list_size_has_a_default_and_a_limit,
    lists_filter_by_tags_and_parent,
    lists_below_a_parent_page_by_id,
    tags_are_listed_with_their_rows,
}
