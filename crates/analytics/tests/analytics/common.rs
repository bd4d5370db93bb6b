//! Records that are easy to count.

use gatehouse_analytics::{Accepted, Analytics, Origin, Query, Range, Rows};
use test_support::TempDir;
use uuid::Uuid;
use wire::telemetry::{Batch, Latencies, Record, Source};

pub(crate) const PLANE: Uuid = Uuid::from_u128(0xA);
pub(crate) const NODE: Uuid = Uuid::from_u128(0x1);
pub(crate) const MINUTE: u64 = 60_000;

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn open(folder: &TempDir) -> Analytics {
    Analytics::open(&folder.join("analytics.db")).unwrap()
}

/// A whole minute that is now for this thread as long as the guard lives.
pub(crate) fn frozen_minute() -> (u64, clock::Frozen) {
    let now = clock::unix_millis() / MINUTE * MINUTE;
    (now, clock::freeze(now))
}

pub(crate) fn record(at: u64, service: u128, route: u128, status: u16) -> Record {
    Record {
        started_at_ms: at,
        request_id: String::new(),
        method: "GET".to_owned(),
        host: "example.com".to_owned(),
        path: None,
        status,
        upstream_status: Some(status),
        service: Some(id(service)),
        route: Some(id(route)),
        consumer: None,
        latencies: Latencies {
            total_us: 3_000,
            upstream_us: 2_000,
            gateway_us: 100,
        },
        request_bytes: 10,
        response_bytes: 1_000,
        client_ip: None,
        target: None,
        source: Source::Upstream,
    }
}

pub(crate) fn batch(sequence: u64, records: Vec<Record>) -> Batch {
    Batch {
        node_id: NODE,
        stream: 1,
        sequence,
        dropped: 0,
        records,
    }
}

pub(crate) async fn ingest(analytics: &Analytics, batch: Batch) -> Accepted {
    let origin = Origin {
        control_plane: PLANE,
        node: NODE,
    };
    analytics.ingest(origin, batch).await.unwrap()
}

/// All of the minutes around a moment.
pub(crate) fn around(moment: u64) -> Range {
    Range {
        from_ms: moment - 60 * MINUTE,
        until_ms: moment + 60 * MINUTE,
    }
}

pub(crate) async fn all(analytics: &Analytics, moment: u64) -> Rows {
    analytics
        .query(PLANE, Query::over(around(moment)))
        .await
        .unwrap()
}
