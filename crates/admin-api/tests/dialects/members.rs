//! Groups of consumers and their members.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture, Kept};

async fn start() -> Fixture {
    let fixture = Fixture::start(Dialect::Gateway).await;
    fixture
        .create("consumer_groups", json!({"name": "gold"}))
        .await;
    for name in ["ann", "bob"] {
        fixture.create("consumers", json!({"username": name})).await;
    }
    fixture
}

#[tokio::test]
async fn a_consumer_joins_and_is_seen_from_both_ends() {
    let fixture = start().await;
    let joined = fixture
        .send(
            "POST",
            "consumer_groups/gold/consumers",
            &json!({"consumer": "ann"}),
        )
        .await;
    assert_eq!(joined.status, 201, "{}", joined.text());
    assert_eq!(joined.json()["consumer_group"]["name"], "gold");
    assert_eq!(joined.json()["consumers"][0]["username"], "ann");
    let other = fixture
        .send(
            "POST",
            "consumers/bob/consumer_groups",
            &json!({"group": "gold"}),
        )
        .await;
    assert_eq!(other.status, 201, "{}", other.text());

    let members = fixture.get("consumer_groups/gold/consumers").await.json();
    assert_eq!(members["data"].as_array().unwrap().len(), 2);
    let groups = fixture.get("consumers/ann/consumer_groups").await.json();
    assert_eq!(groups["data"][0]["name"], "gold");
    let group = fixture.get("consumer_groups/gold").await.json();
    assert_eq!(group["consumers"].as_array().unwrap().len(), 2);
    let short = fixture
        .get("consumer_groups/gold?list_consumers=false")
        .await
        .json();
    assert!(short.get("consumers").is_none());
    assert_eq!(short["plugins"], json!([]));
}

#[tokio::test]
async fn members_leave_alone_or_together() {
    let fixture = start().await;
    let path = "consumer_groups/gold/consumers";
    let both = json!({"consumer": ["ann", "bob"]});
    assert_eq!(fixture.send("POST", path, &both).await.status, 201);
    assert_eq!(
        fixture
            .bare("DELETE", "consumers/ann/consumer_groups/gold")
            .await
            .status,
        204
    );
    assert_eq!(
        fixture
            .bare("DELETE", "consumers/ann/consumer_groups/gold")
            .await
            .status,
        404
    );
    assert_eq!(fixture.bare("DELETE", path).await.status, 204);
    assert_eq!(fixture.get(path).await.json()["data"], json!([]));
    assert_eq!(fixture.get("consumers/ann").await.status, 200);
}

#[tokio::test]
async fn what_cannot_join_is_named() {
    let fixture = start().await;
    let path = "consumer_groups/gold/consumers";
    for (body, status) in [
        (json!({}), 400),
        (json!({"consumer": 5}), 400),
        (json!({"consumer": []}), 400),
        (json!({"consumer": "nobody"}), 404),
        (json!({"consumer": ["ann", "nobody"]}), 404),
    ] {
        assert_eq!(
            fixture.send("POST", path, &body).await.status,
            status,
            "{body}"
        );
    }
    assert_eq!(fixture.get(path).await.json()["data"], json!([]));
    let ann = json!({"consumer": "ann"});
    assert_eq!(fixture.send("POST", path, &ann).await.status, 201);
    assert_eq!(fixture.send("POST", path, &ann).await.status, 409);
    let none = fixture
        .send("POST", "consumer_groups/none/consumers", &ann)
        .await;
    assert_eq!(none.status, 404);
}

/// The reference's standard build keeps such secrets as PBKDF2 hashes.
#[tokio::test]
async fn secrets_of_applications_are_hashed_when_they_ask_for_it() {
    for kept in Kept::both() {
        let fixture = Fixture::on(&kept, Dialect::Gateway).await;
        fixture
            .create("consumers", json!({"username": "ann"}))
            .await;
        let list = "consumers/ann/oauth2";
        let is_hash = |row: &Value| {
            let text = row["client_secret"].as_str().unwrap();
            text.starts_with("$pbkdf2-sha512$i=10000,l=32$")
        };
        let given = json!({"name": "a", "client_secret": "s", "hash_secret": true});
        let given = fixture.create(list, given).await;
        let made = fixture
            .create(list, json!({"name": "b", "hash_secret": true}))
            .await;
        let plain = fixture
            .create(list, json!({"name": "c", "client_secret": "s"}))
            .await;
        assert!(is_hash(&given) && is_hash(&made), "{given} {made}");
        assert_eq!(plain["client_secret"], "s");

        let path = |row: &Value| format!("{list}/{}", row["id"].as_str().unwrap());
        let back = fixture.send("PUT", &path(&given), &given).await.json();
        assert_eq!(back["client_secret"], given["client_secret"]);
        let renamed = json!({"name": "d"});
        let renamed = fixture.send("PATCH", &path(&given), &renamed).await.json();
        assert_eq!(renamed["client_secret"], given["client_secret"]);
        let from_now = json!({"hash_secret": true});
        let from_now = fixture.send("PATCH", &path(&plain), &from_now).await.json();
        assert!(is_hash(&from_now), "{from_now}");
    }
}
