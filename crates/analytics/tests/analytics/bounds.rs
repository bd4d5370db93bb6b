//! Odd input ends in named places.

use gatehouse_analytics::{
    FUTURE_LIMIT_MS, Group, GroupBy, INVALID_STATUS, KEYS_PER_MINUTE, MINUTES_KEPT, NONE, OVERFLOW,
    PAST_LIMIT_MS, Query, Range,
};
use test_support::TempDir;

use crate::common::*;

#[tokio::test]
async fn records_from_the_future_count_in_the_current_minute() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let records = vec![
        record(now + FUTURE_LIMIT_MS, 1, 1, 200),
        record(now + FUTURE_LIMIT_MS + 1, 1, 1, 200),
        record(u64::MAX, 1, 1, 200),
    ];

    let accepted = ingest(&analytics, batch(1, records)).await;

    assert_eq!(
        (accepted.counted, accepted.moved, accepted.too_old),
        (3, 2, 0)
    );
    let this_minute = Range {
        from_ms: now,
        until_ms: now + MINUTE,
    };
    let rows = analytics
        .query(PLANE, Query::over(this_minute))
        .await
        .unwrap();
    assert_eq!(rows.totals.count, 2);
    assert_eq!(all(&analytics, now).await.totals.count, 3);
}

#[tokio::test]
async fn records_from_long_ago_are_not_counted() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let edge = now - PAST_LIMIT_MS;
    let records = [edge, edge - 1, 0].map(|at| record(at, 1, 1, 200)).to_vec();

    let accepted = ingest(&analytics, batch(1, records)).await;

    assert_eq!((accepted.counted, accepted.too_old), (1, 2));
    assert_eq!(all(&analytics, edge).await.totals.count, 1);
}

#[tokio::test]
async fn absurd_values_do_not_break_the_sums() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut absurd = record(now, 1, 1, 200);
    absurd.latencies.total_us = u64::MAX;
    absurd.latencies.upstream_us = u64::MAX;
    absurd.latencies.gateway_us = u64::MAX;
    absurd.request_bytes = u64::MAX;
    absurd.response_bytes = u64::MAX;
    let mut claims = batch(1, vec![absurd; 1_000]);
    claims.dropped = u64::MAX;
    for sequence in 1..=20 {
        claims.sequence = sequence;
        ingest(&analytics, claims.clone()).await;
    }
    claims.sequence = u64::MAX;
    ingest(&analytics, claims).await;

    let totals = all(&analytics, now).await.totals;
    assert_eq!(totals.count, 21_000);
    assert_eq!(totals.total.sum_us, 21_000 << 40);
    // 21,000 pebibytes are more than the database counts.
    assert_eq!(totals.request_bytes, i64::MAX.unsigned_abs());
    assert!(analytics.losses(PLANE, around(now)).await.unwrap().at_node > 0);
}

#[tokio::test]
async fn statuses_that_are_none_have_a_name() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let records = [0, 1, 99, 100, 599, 600, u16::MAX].map(|status| record(now, 1, 1, status));
    ingest(&analytics, batch(1, records.to_vec())).await;

    let query = Query {
        group_by: GroupBy::Status,
        ..Query::over(around(now))
    };
    let rows = analytics.query(PLANE, query).await.unwrap().rows;
    let counts: Vec<_> = rows
        .iter()
        .map(|row| (row.group, row.totals.count))
        .collect();
    let status = Group::Status;
    let expected = [
        (status(0), 1),
        (status(100), 1),
        (status(599), 1),
        (status(INVALID_STATUS), 4),
    ];
    assert_eq!(counts, expected);
}

#[tokio::test]
async fn requests_without_service_have_a_name_and_reserved_ids_are_nobodys() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut unmatched = record(now, 1, 1, 404);
    (unmatched.service, unmatched.route) = (None, None);
    let mut forged = record(now, 1, 1, 200);
    (forged.service, forged.route) = (Some(OVERFLOW), Some(NONE));
    ingest(&analytics, batch(1, vec![unmatched, forged])).await;

    let query = Query {
        group_by: GroupBy::Service,
        ..Query::over(around(now))
    };
    let rows = analytics.query(PLANE, query).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].group, rows[0].totals.count),
        (Group::Service(NONE), 2)
    );
}

#[tokio::test]
async fn too_many_entities_in_a_minute_share_the_overflow() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let limit = u128::try_from(KEYS_PER_MINUTE).unwrap();
    let known = (1..=limit).map(|n| record(now, n, n, 200)).collect();
    ingest(&analytics, batch(1, known)).await;
    // 50 routes and two statuses that find no place, and one that has its own.
    let beyond =
        (1..=100).map(|n| record(now, limit + 1 + n % 50, 1, if n <= 30 { 200 } else { 500 }));
    let mut beyond: Vec<_> = beyond.collect();
    beyond.push(record(now, 1, 1, 200));
    ingest(&analytics, batch(2, beyond)).await;
    // The next minute has room again.
    ingest(
        &analytics,
        batch(3, vec![record(now + MINUTE, limit + 1, 1, 200)]),
    )
    .await;

    let minute = Range {
        from_ms: now,
        until_ms: now + MINUTE,
    };
    let mut query = Query {
        group_by: GroupBy::Status,
        ..Query::over(minute)
    };
    query.filter.services = vec![OVERFLOW];
    let rest = analytics.query(PLANE, query).await.unwrap();
    let counts: Vec<_> = rest
        .rows
        .iter()
        .map(|row| (row.group, row.totals.count))
        .collect();
    assert_eq!(counts, [(Group::Status(200), 30), (Group::Status(500), 70)]);
    let mut query = Query::over(around(now));
    query.filter.services = vec![id(1), id(limit + 1)];
    assert_eq!(
        analytics.query(PLANE, query).await.unwrap().totals.count,
        2 + 1
    );
    let everything = analytics
        .query(PLANE, Query::over(around(now)))
        .await
        .unwrap();
    assert_eq!(everything.totals.count, u64::try_from(limit).unwrap() + 102);
}

#[tokio::test]
async fn figures_leave_after_two_weeks() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (start, frozen) = frozen_minute();
    ingest(&analytics, batch(1, vec![record(start, 1, 1, 200)])).await;
    drop(frozen);

    let later = start + MINUTES_KEPT * MINUTE;
    let frozen = clock::freeze(later);
    ingest(&analytics, batch(2, vec![record(later, 1, 1, 200)])).await;
    assert_eq!(all(&analytics, start).await.totals.count, 1);
    drop(frozen);
    let later = later + MINUTE;
    let _frozen = clock::freeze(later);
    ingest(&analytics, batch(3, vec![record(later, 1, 1, 200)])).await;

    assert_eq!(all(&analytics, start).await.totals.count, 0);
    assert_eq!(all(&analytics, later).await.totals.count, 2);
    assert!(ingest(&analytics, batch(3, vec![])).await.is_repeat);
}
