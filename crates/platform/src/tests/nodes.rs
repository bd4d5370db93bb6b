//! Certificates, nodes, hashes and groups of a control plane over HTTP.

use control_plane::NodeSeen;
use test_support::TestAuthority;
use uuid::Uuid;

use super::*;

fn pem(name: &str) -> String {
    TestAuthority::new(name).client(name).certificate
}

#[tokio::test]
async fn certificates_are_registered_replaced_and_removed() {
    let fixture = Fixture::start().await;
    let path = fixture.plane("/dp-client-certificates");
    let (one, two) = (pem("one"), pem("two"));

    let created = fixture
        .create(&path, json!({"cert": one, "title": "first"}))
        .await;
    let id = created["item"]["id"].as_str().unwrap();
    let item = format!("{path}/{id}");
    let got = fixture.get(&item).await.json();
    let replaced = fixture.send("PUT", &item, &json!({"cert": two})).await;
    let list = fixture.get(&path).await.json();

    assert_eq!(got, created);
    let members = ["id", "cert", "title", "created_at", "updated_at"];
    assert_eq!(keys(&got["item"]), members);
    assert_eq!(got["item"]["cert"], json!(one));
    assert!(got["item"]["created_at"].is_u64());
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    assert_eq!(list["page"], json!({"total_count": 1}));
    assert_eq!(list["items"][0]["cert"], json!(two));
    assert_eq!(fixture.delete(&item).await.status, 204);
    assert_eq!(
        fixture.get(&item).await.json(),
        json!({"message": "Not Found"})
    );
    assert_eq!(fixture.delete(&item).await.status, 404);
}

#[tokio::test]
async fn bad_doubled_and_too_many_certificates_are_refused() {
    let fixture = Fixture::start().await;
    let path = fixture.plane("/dp-client-certificates");
    let authority = TestAuthority::new("many");
    let first = authority.client("0").certificate;
    let escaped = first.replace('\n', "\\n");
    fixture.create(&path, json!({"cert": escaped})).await;

    let doubled = fixture.send("POST", &path, &json!({"cert": first})).await;
    for body in [
        json!({"cert": "hello"}),
        json!({"cert": ""}),
        json!({}),
        json!({"cert": 1}),
        json!({"cert": first, "colour": "red"}),
        json!({"cert": "/etc/hostname"}),
    ] {
        let answer = fixture.send("POST", &path, &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert_eq!(answer.json()["message"], "validation error");
    }
    for number in 1..32 {
        let cert = authority.client(&number.to_string()).certificate;
        fixture
            .geo
            .planes
            .pin(fixture.default.id, &cert, "")
            .await
            .unwrap();
    }
    let cert = authority.client("32").certificate;
    let beyond = fixture.send("POST", &path, &json!({"cert": cert})).await;

    assert_eq!(doubled.status, 400);
    assert_eq!(doubled.json()["details"][0]["field"], "cert");
    assert_eq!(beyond.status, 400, "{}", beyond.text());
    assert!(beyond.text().contains("32"));
    let wrong_type = fixture.raw("POST", &path, "text/plain", "{}").await;
    assert_eq!(wrong_type.status, 415);
}

#[tokio::test]
async fn nodes_are_listed_paged_read_and_forgotten() {
    let fixture = Fixture::start().await;
    let mut ids: Vec<_> = (0..3).map(|_| Uuid::new_v4()).collect();
    ids.sort();
    for id in &ids {
        let seen = NodeSeen {
            control_plane: fixture.default.id,
            node_id: *id,
            version: "2.8.5".to_owned(),
            hostname: "edge".to_owned(),
            labels: [("team".to_owned(), "edge".to_owned())].into(),
            is_connected: true,
            ..NodeSeen::default()
        };
        fixture.geo.planes.record_node(seen).await.unwrap();
    }

    let all = fixture.get(&fixture.plane("/nodes")).await.json();
    let first = fixture
        .get(&fixture.plane("/nodes?page[size]=2"))
        .await
        .json();
    let cursor = first["page"]["next"].as_str().unwrap();
    let query = format!("/nodes?page[size]=2&page[after]={cursor}");
    let second = fixture.get(&fixture.plane(&query)).await.json();
    let one = fixture
        .get(&fixture.plane(&format!("/nodes/{}", ids[0])))
        .await
        .json();
    let old = fixture.get(&fixture.plane("/nodes/eol")).await.json();

    assert_eq!(all["page"], json!({"total_count": 3}));
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(second["items"][0]["id"], json!(ids[2]));
    assert_eq!(second["page"], json!({"total_count": 3}));
    assert_eq!(one["item"], all["items"][0]);
    let node = &one["item"];
    assert_eq!(node["type"], "kong-proxy");
    assert_eq!(node["config_hash"], "0".repeat(32));
    assert_eq!(node["labels"], json!({"team": "edge"}));
    assert_eq!(
        node["compatibility_status"]["state"],
        "COMPATIBILITY_STATE_UNKNOWN"
    );
    assert!(node["last_ping"].is_u64());
    assert_eq!(old["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        keys(&old["items"][0]),
        ["node_id", "node_version", "message"]
    );
    let path = fixture.plane(&format!("/nodes/{}", ids[0]));
    assert_eq!(fixture.delete(&path).await.status, 204);
    assert_eq!(fixture.get(&path).await.status, 404);
    assert_eq!(fixture.delete(&path).await.status, 404);
    for query in ["page[size]=0", "page[size]=x", "page[after]=x"] {
        let answer = fixture
            .get(&fixture.plane(&format!("/nodes?{query}")))
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn the_expected_hash_follows_the_configuration() {
    let fixture = Fixture::start().await;
    let path = fixture.plane("/expected-config-hash");
    let before = fixture.get(&path).await.json();
    let service = json!({"name": "a", "host": "b"});
    fixture.create(&fixture.entity("services"), service).await;

    let after = fixture.get(&path).await.json();

    assert_eq!(keys(&after), ["expected_hash", "created_at", "updated_at"]);
    assert_eq!(after["expected_hash"].as_str().unwrap().len(), 32);
    assert_ne!(before["expected_hash"], after["expected_hash"]);
}
