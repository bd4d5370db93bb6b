//! A database that goes away and comes back.

use std::time::Duration;

use serde_json::json;
use test_support::{Postgres, PostgresOptions, eventually_within};

use super::fixture::{BOTH, Fixture, Kept};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_said_and_found_again() {
    let mut server = Postgres::start(&PostgresOptions::default());
    let kept = Kept::postgres(&server);
    for dialect in BOTH {
        let fixture = Fixture::on(&kept, dialect).await;
        let service = json!({"name": "s", "host": "h"});
        fixture.create("services", service.clone()).await;

        server.stop();

        for (method, path) in [
            ("POST", "services"),
            ("PUT", "services/s"),
            ("GET", "services"),
        ] {
            let refused = fixture.send(method, path, &service).await;
            let at = format!("{dialect:?} {method}: {}", refused.text());
            assert_eq!(refused.status, 503, "{at}");
            assert_eq!(refused.header("retry-after"), Some("1"), "{at}");
            assert!(!refused.text().contains("127.0.0.1"), "{at}");
        }

        server.start_again();
        eventually_within(
            Duration::from_secs(30),
            "the database is found",
            async || (fixture.get("services").await.status == 200).then_some(()),
        )
        .await;
        let other = json!({"name": "t", "host": "h"});
        fixture.create("services", other).await;
        let listed = fixture.get("services").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{dialect:?}");
    }
}
