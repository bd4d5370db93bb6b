//! Counts of requests over HTTP.

use analytics::Origin;
use uuid::Uuid;
use wire::telemetry::Batch;

use super::*;

async fn report(fixture: &Fixture, service: Uuid, statuses: &[u16]) {
    let now = clock::unix_millis();
    let record = |status: &u16| {
        json!({
            "started_at_ms": now, "method": "GET", "status": status, "service": service,
            "latencies": {"total_us": 1000},
        })
    };
    let records: Vec<_> = statuses.iter().map(record).collect();
    let batch = json!({"node_id": Uuid::nil(), "stream": 1, "sequence": 1, "records": records});
    let batch: Batch = serde_json::from_value(batch).unwrap();
    let origin = Origin {
        control_plane: fixture.default.id,
        node: Uuid::new_v4(),
    };
    fixture.geo.analytics.ingest(origin, batch).await.unwrap();
}

#[tokio::test]
async fn requests_are_counted_by_what_is_asked_for() {
    let fixture = Fixture::start().await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    report(&fixture, one, &[200, 200, 503]).await;
    report(&fixture, two, &[200]).await;
    let base = format!("/v1/control-planes/{}/requests", fixture.default.id);
    let rows = async |query: &str| {
        let answer = fixture.get(&format!("{base}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let body = answer.json();
        let short = |row: &Value| {
            json!([
                row.get("service"),
                row.get("route"),
                row.get("status"),
                row["count"]
            ])
        };
        body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(short)
            .collect::<Vec<_>>()
    };

    assert_eq!(rows("").await, [json!([null, null, null, 4])]);
    assert_eq!(
        rows("group_by=service").await,
        [json!([one, null, null, 3]), json!([two, null, null, 1])]
    );
    assert_eq!(
        rows("group_by=status").await,
        [json!([null, null, 200, 3]), json!([null, null, 503, 1])]
    );
    assert_eq!(
        rows("group_by=service,route,status").await,
        [
            json!([one, null, 200, 2]),
            json!([one, null, 503, 1]),
            json!([two, null, 200, 1])
        ]
    );
    assert_eq!(rows("status=503").await, [json!([null, null, null, 1])]);
    assert_eq!(
        rows(&format!("service={two}&step=1")).await,
        [json!([null, null, null, 1])]
    );
    assert_eq!(
        rows("from=2020-01-01T00:00:00Z&to=1577836860").await,
        Vec::<Value>::new()
    );
    let body = fixture.get(&base).await.json();
    assert_eq!(
        keys(&body["meta"]),
        ["from", "to", "total", "is_truncated", "losses"]
    );
    assert_eq!(body["meta"]["total"]["count"], 4);
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let fixture = Fixture::start().await;
    let base = format!("/v1/control-planes/{}/requests", fixture.default.id);
    for query in [
        "from=yesterday",
        "group_by=colour",
        "step=x",
        "step=0",
        "service=x",
        "status=x",
        "colour=red",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    ] {
        let answer = fixture.get(&format!("{base}?{query}")).await;
        assert_problem(&answer, 400, "Bad Request");
        assert_eq!(
            answer.json()["invalid_parameters"][0]["source"],
            "query",
            "{query}"
        );
    }
}

#[tokio::test]
async fn counts_leave_with_their_control_plane() {
    let fixture = Fixture::start().await;
    let body = json!({"name": "short-lived"});
    let created = fixture.create("/v2/control-planes", body).await;
    let id: Uuid = created["id"].as_str().unwrap().parse().unwrap();
    let batch = json!({
        "node_id": Uuid::nil(), "stream": 1, "sequence": 1,
        "records": [{
            "started_at_ms": clock::unix_millis(), "method": "GET", "status": 200,
            "latencies": {"total_us": 1},
        }],
    });
    let batch: Batch = serde_json::from_value(batch).unwrap();
    let origin = Origin {
        control_plane: id,
        node: Uuid::nil(),
    };
    fixture.geo.analytics.ingest(origin, batch).await.unwrap();
    let count = async || {
        let until_ms = clock::unix_millis() + 1;
        let range = analytics::Range {
            from_ms: until_ms - 3_600_000,
            until_ms,
        };
        let found = fixture
            .geo
            .analytics
            .query(id, analytics::Query::over(range))
            .await;
        found.unwrap().totals.count
    };
    assert_eq!(count().await, 1);

    fixture.delete(&format!("/v2/control-planes/{id}")).await;

    test_support::eventually("the counts are gone", async || {
        (count().await == 0).then_some(())
    })
    .await;
}
