//! Questions.

use gatehouse_analytics::{Analytics, AnalyticsError, Filter, Group, GroupBy, Query, Range, Rows};
use test_support::TempDir;

use crate::common::*;

/// Three minutes of two services with three routes.
async fn filled(folder: &TempDir) -> (Analytics, u64) {
    let analytics = open(folder);
    let (now, _frozen) = frozen_minute();
    let mut records = Vec::new();
    for (minute, service, route, status, count) in [
        (0, 1, 11, 200, 10),
        (0, 1, 11, 500, 1),
        (0, 1, 12, 200, 20),
        (1, 2, 21, 200, 5),
        (1, 1, 11, 404, 3),
        (2, 2, 21, 503, 2),
    ] {
        let at = now - (2 - minute) * MINUTE + 30_000;
        records.extend(vec![record(at, service, route, status); count]);
    }
    ingest(&analytics, batch(1, records)).await;
    (analytics, now)
}

fn shown(rows: &Rows) -> Vec<(Group, u64)> {
    rows.rows
        .iter()
        .map(|row| (row.group, row.totals.count))
        .collect()
}

#[tokio::test]
async fn groups_by_service_route_and_status() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let ask = async |group_by| {
        let query = Query {
            group_by,
            ..Query::over(around(now))
        };
        let rows = analytics.query(PLANE, query).await.unwrap();
        assert_eq!((rows.totals.count, rows.is_truncated), (41, false));
        shown(&rows)
    };

    assert_eq!(ask(GroupBy::Nothing).await, [(Group::All, 41)]);
    let services = [(Group::Service(id(1)), 34), (Group::Service(id(2)), 7)];
    assert_eq!(ask(GroupBy::Service).await, services);
    let routes = [
        (Group::Route(id(11)), 14),
        (Group::Route(id(12)), 20),
        (Group::Route(id(21)), 7),
    ];
    assert_eq!(ask(GroupBy::Route).await, routes);
    let status = Group::Status;
    let statuses = [
        (status(200), 35),
        (status(404), 3),
        (status(500), 1),
        (status(503), 2),
    ];
    assert_eq!(ask(GroupBy::Status).await, statuses);
    let class = Group::StatusClass;
    assert_eq!(
        ask(GroupBy::StatusClass).await,
        [(class(2), 35), (class(4), 3), (class(5), 3)]
    );
}

#[tokio::test]
async fn filters_narrow_all_at_once() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let count = async |filter| {
        let query = Query {
            filter,
            ..Query::over(around(now))
        };
        analytics.query(PLANE, query).await.unwrap().totals.count
    };
    let one = || Filter {
        services: vec![id(1)],
        ..Filter::default()
    };

    assert_eq!(count(one()).await, 34);
    assert_eq!(
        count(Filter {
            routes: vec![id(12), id(21)],
            ..Filter::default()
        })
        .await,
        27
    );
    assert_eq!(
        count(Filter {
            routes: vec![id(21)],
            ..one()
        })
        .await,
        0
    );
    assert_eq!(
        count(Filter {
            statuses: vec![404, 500],
            ..one()
        })
        .await,
        4
    );
    assert_eq!(
        count(Filter {
            status_classes: vec![5],
            ..Filter::default()
        })
        .await,
        3
    );
    assert_eq!(
        count(Filter {
            status_classes: vec![5],
            statuses: vec![503],
            ..one()
        })
        .await,
        0
    );
}

#[tokio::test]
async fn range_takes_whole_minutes_it_touches() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let count = async |from_ms, until_ms| {
        let query = Query::over(Range { from_ms, until_ms });
        analytics.query(PLANE, query).await.unwrap().totals.count
    };
    assert_eq!(count(now, now + MINUTE).await, 2);
    assert_eq!(count(now - 1, now).await, 8);
    assert_eq!(count(now - 1, now + 1).await, 10);
    assert_eq!(count(now - 2 * MINUTE, now - MINUTE).await, 31);
    assert_eq!(count(now + MINUTE, now + 2 * MINUTE).await, 0);
}

#[tokio::test]
async fn steps_divide_time() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let query = Query {
        group_by: GroupBy::Service,
        step_minutes: Some(1),
        ..Query::over(around(now))
    };
    let rows = analytics.query(PLANE, query).await.unwrap();
    let shown: Vec<_> = rows
        .rows
        .iter()
        .map(|row| (row.start_ms, row.group, row.totals.count))
        .collect();
    let (one, two) = (Group::Service(id(1)), Group::Service(id(2)));
    let expected = [
        (now - 2 * MINUTE, one, 31),
        (now - MINUTE, one, 3),
        (now - MINUTE, two, 5),
        (now, two, 2),
    ];
    assert_eq!(shown, expected);

    let query = Query {
        step_minutes: Some(60),
        ..Query::over(around(now))
    };
    let rows = analytics.query(PLANE, query).await.unwrap();
    assert!(
        rows.rows
            .iter()
            .all(|row| row.start_ms % (60 * MINUTE) == 0)
    );
    assert_eq!(
        rows.rows.iter().map(|row| row.totals.count).sum::<u64>(),
        41
    );
}

#[tokio::test]
async fn limit_keeps_the_largest_and_says_so() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let query = Query {
        group_by: GroupBy::Route,
        limit: 2,
        ..Query::over(around(now))
    };
    let rows = analytics.query(PLANE, query).await.unwrap();
    assert_eq!(
        shown(&rows),
        [(Group::Route(id(11)), 14), (Group::Route(id(12)), 20)]
    );
    assert!(rows.is_truncated);
    assert_eq!(rows.totals.count, 41);
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let folder = TempDir::new("analytics");
    let (analytics, now) = filled(&folder).await;
    let day = 24 * 60 * MINUTE;
    let spans = [
        (now, now),
        (now, now - 1),
        (now - 32 * day, now),
        (0, u64::MAX),
    ];
    for (from_ms, until_ms) in spans {
        let range = Range { from_ms, until_ms };
        let error = analytics
            .query(PLANE, Query::over(range))
            .await
            .unwrap_err();
        assert!(
            matches!(error, AnalyticsError::Question { field: "range", .. }),
            "{error}"
        );
        assert!(analytics.losses(PLANE, range).await.is_err());
    }
    let query = Query {
        step_minutes: Some(0),
        ..Query::over(around(now))
    };
    let error = analytics.query(PLANE, query).await.unwrap_err();
    assert!(
        matches!(
            error,
            AnalyticsError::Question {
                field: "step_minutes",
                ..
            }
        ),
        "{error}"
    );
}
