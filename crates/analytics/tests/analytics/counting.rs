//! Every request counts once.

use gatehouse_analytics::{Accepted, Losses, Origin, Query};
use test_support::TempDir;
use wire::telemetry::Source;

use crate::common::*;

#[tokio::test]
async fn figures_are_exact_sums_of_the_records() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut refused = record(now, 1, 1, 429);
    refused.source = Source::Plugin;
    refused.upstream_status = None;
    refused.latencies.total_us = 500;
    let mut failed = record(now, 1, 1, 502);
    failed.source = Source::Gateway;
    failed.upstream_status = None;
    let records = vec![
        record(now, 1, 1, 200),
        record(now + 1, 1, 1, 200),
        refused,
        failed,
    ];

    let accepted = ingest(&analytics, batch(1, records)).await;

    let expected = Accepted {
        next_sequence: 2,
        is_repeat: false,
        counted: 4,
        moved: 0,
        too_old: 0,
    };
    assert_eq!(accepted, expected);
    let totals = all(&analytics, now).await.totals;
    assert_eq!(totals.count, 4);
    assert_eq!(
        (totals.answered_by_plugin, totals.answered_by_gateway),
        (1, 1)
    );
    assert_eq!((totals.request_bytes, totals.response_bytes), (40, 4_000));
    assert_eq!(totals.total.sum_us, 3 * 3_000 + 500);
    assert_eq!(totals.total.mean_us(), Some(9_500 / 4));
    // Only what reached an upstream counts as time of an upstream.
    assert_eq!(
        (totals.upstream.sum_us, totals.upstream.histogram.count()),
        (4_000, 2)
    );
    assert_eq!(
        (totals.gateway.sum_us, totals.gateway.histogram.count()),
        (400, 4)
    );
    let median = totals.total.quantile_us(0.5).unwrap();
    assert!(median.abs_diff(3_000) * 16 <= 3_000, "{median}");
    let fastest = totals.total.quantile_us(0.25).unwrap();
    assert!(fastest.abs_diff(500) * 16 <= 500, "{fastest}");
}

#[tokio::test]
async fn repeated_batch_counts_once() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let one = batch(1, vec![record(now, 1, 1, 200); 5]);
    let two = batch(2, vec![record(now, 1, 1, 200); 7]);
    for again in 0..3 {
        assert_eq!(ingest(&analytics, one.clone()).await.is_repeat, again > 0);
        assert_eq!(ingest(&analytics, two.clone()).await.is_repeat, again > 0);
    }

    assert_eq!(all(&analytics, now).await.totals.count, 12);
    let repeat = ingest(&analytics, one).await;
    assert_eq!((repeat.next_sequence, repeat.counted), (3, 0));
}

#[tokio::test]
async fn repeats_are_told_apart_by_node_stream_and_control_plane() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut other_stream = batch(1, vec![record(now, 1, 1, 200)]);
    other_stream.stream = u64::MAX;
    ingest(&analytics, batch(1, vec![record(now, 1, 1, 200)])).await;
    ingest(&analytics, other_stream).await;
    let origins = [
        Origin {
            control_plane: PLANE,
            node: id(2),
        },
        Origin {
            control_plane: id(0xB),
            node: NODE,
        },
    ];
    for origin in origins {
        let batch = batch(1, vec![record(now, 1, 1, 200)]);
        assert!(!analytics.ingest(origin, batch).await.unwrap().is_repeat);
    }

    assert_eq!(all(&analytics, now).await.totals.count, 3);
    let other = analytics
        .query(id(0xB), Query::over(around(now)))
        .await
        .unwrap();
    assert_eq!(other.totals.count, 1);
}

#[tokio::test]
async fn restart_keeps_figures_and_knows_repeats() {
    let folder = TempDir::new("analytics");
    let (now, _frozen) = frozen_minute();
    let one = batch(1, vec![record(now, 1, 1, 200); 5]);
    let analytics = open(&folder);
    ingest(&analytics, one.clone()).await;
    let before = all(&analytics, now).await;
    drop(analytics);

    let analytics = open(&folder);

    assert_eq!(all(&analytics, now).await, before);
    assert!(ingest(&analytics, one).await.is_repeat);
    ingest(&analytics, batch(2, vec![record(now, 1, 1, 200); 5])).await;
    let after = all(&analytics, now).await;
    assert_eq!((after.rows.len(), after.totals.count), (1, 10));
    assert_eq!(after.totals.total.histogram.count(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_at_the_same_time_add_up() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut senders = tokio::task::JoinSet::new();
    for node in 0..20_u128 {
        let analytics = analytics.clone();
        senders.spawn(async move {
            for sequence in 1..=25 {
                let records = vec![record(now, node % 3, 1, 200); 4];
                let batch = batch(sequence, records);
                let origin = Origin {
                    control_plane: PLANE,
                    node: id(node),
                };
                // Each is sent twice, as after a broken connection.
                analytics.ingest(origin, batch.clone()).await.unwrap();
                analytics.ingest(origin, batch).await.unwrap();
            }
        });
    }
    senders.join_all().await;

    let rows = all(&analytics, now).await;
    assert_eq!(rows.totals.count, 20 * 25 * 4);
    assert_eq!(rows.totals.total.sum_us, 20 * 25 * 4 * 3_000);
    assert_eq!(rows.totals.total.histogram.count(), 20 * 25 * 4);
}

#[tokio::test]
async fn what_is_missing_is_counted() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let mut lossy = batch(1, vec![]);
    lossy.dropped = 17;
    ingest(&analytics, lossy).await;
    let old = record(now - 25 * 60 * MINUTE, 1, 1, 200);
    let accepted = ingest(&analytics, batch(5, vec![old, record(now, 1, 1, 200)])).await;
    assert_eq!((accepted.counted, accepted.too_old), (1, 1));
    let losses = async || analytics.losses(PLANE, around(now)).await.unwrap();

    let expected = Losses {
        at_node: 17,
        too_old: 1,
        missing_batches: 3,
    };
    assert_eq!(losses().await, expected);
    // One arrives after all.
    ingest(&analytics, batch(3, vec![record(now, 1, 1, 200)])).await;
    assert_eq!(
        losses().await,
        Losses {
            missing_batches: 2,
            ..expected
        }
    );
    assert_eq!(all(&analytics, now).await.totals.count, 2);
    let elsewhere = analytics.losses(id(0xB), around(now)).await.unwrap();
    assert_eq!(elsewhere, Losses::default());
}

#[tokio::test]
async fn purge_forgets_one_control_plane() {
    let folder = TempDir::new("analytics");
    let analytics = open(&folder);
    let (now, _frozen) = frozen_minute();
    let other = Origin {
        control_plane: id(0xB),
        node: NODE,
    };
    ingest(&analytics, batch(1, vec![record(now, 1, 1, 200)])).await;
    analytics
        .ingest(other, batch(1, vec![record(now, 1, 1, 200)]))
        .await
        .unwrap();

    analytics.purge(PLANE).await.unwrap();

    assert_eq!(all(&analytics, now).await.totals.count, 0);
    let kept = analytics
        .query(id(0xB), Query::over(around(now)))
        .await
        .unwrap();
    assert_eq!(kept.totals.count, 1);
}
