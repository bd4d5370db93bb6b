//! Entities below others, from both ends.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture, certificate};

async fn start() -> Fixture {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for name in ["s1", "s2"] {
        fixture
            .create("services", json!({"name": name, "host": "h"}))
            .await;
    }
    fixture
}

#[tokio::test]
async fn an_entity_below_another_parent_is_missing() {
    let fixture = start().await;
    fixture
        .create("services/s1/routes", json!({"name": "r", "paths": ["/"]}))
        .await;
    assert_eq!(fixture.get("services/s1/routes/r").await.status, 200);
    for method in ["GET", "PATCH", "DELETE"] {
        let answer = fixture
            .send(method, "services/s2/routes/r", &json!({}))
            .await;
        let missing = json!({"message": "Not found"});
        assert_eq!((answer.status, answer.json()), (404, missing), "{method}");
    }
    assert_eq!(fixture.get("routes/r").await.status, 200);
}

#[tokio::test]
async fn the_path_decides_about_the_parent() {
    let fixture = start().await;
    let s1 = fixture.get("services/s1").await.json()["id"].clone();
    let body = json!({"name": "r", "paths": ["/"], "service": {"name": "s2"}});
    let created = fixture.create("services/s1/routes", body.clone()).await;
    assert_eq!(created["service"]["id"], s1);

    let moved = fixture.send("PUT", "services/s2/routes/r", &body).await;

    assert_eq!((moved.status, &moved.json()["id"]), (200, &created["id"]));
    assert_ne!(moved.json()["service"]["id"], s1);
}

#[tokio::test]
async fn what_is_referred_to_is_read_changed_and_replaced_through_the_reference() {
    let fixture = start().await;
    fixture
        .create("services/s1/routes", json!({"name": "r", "paths": ["/"]}))
        .await;
    let service = fixture.get("routes/r/service").await.json();
    assert_eq!(service["name"], "s1");

    let changed = fixture
        .send("PATCH", "routes/r/service", &json!({"port": 81}))
        .await;
    assert_eq!((changed.status, &changed.json()["port"]), (200, &json!(81)));
    let replaced = fixture
        .send("PUT", "routes/r/service", &json!({"host": "new"}))
        .await;
    assert_eq!(
        (replaced.status, &replaced.json()["id"]),
        (200, &service["id"])
    );
    assert_eq!(replaced.json()["name"], Value::Null);
    assert_eq!(fixture.bare("DELETE", "routes/r/service").await.status, 405);
    assert_eq!(
        fixture.bare("DELETE", "routes/nope/service").await.status,
        404
    );
}

#[tokio::test]
async fn putting_where_nothing_was_referred_to_creates_and_links() {
    let fixture = start().await;
    fixture
        .create("routes", json!({"name": "r", "paths": ["/"]}))
        .await;
    assert_eq!(fixture.get("routes/r/service").await.status, 404);

    let body = json!({"name": "born", "host": "h"});
    let born = fixture.send("PUT", "routes/r/service", &body).await;

    assert_eq!(born.status, 200, "{}", born.text());
    let route = fixture.get("routes/r").await.json();
    assert_eq!(route["service"]["id"], born.json()["id"]);
    let bad = fixture.send("PUT", "routes/r/service", &json!({})).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn a_certificate_goes_by_its_server_names() {
    let fixture = start().await;
    let mut body = certificate();
    body["snis"] = json!(["a.test", "*.w.test"]);
    let id = fixture.create("certificates", body.clone()).await["id"].clone();
    assert_eq!(fixture.get("certificates/a.test").await.json()["id"], id);
    assert_eq!(fixture.get("certificates/*.w.test").await.json()["id"], id);
    assert_eq!(fixture.get("certificates/x.w.test").await.status, 404);

    let tags = json!({"tags": ["t"]});
    let kept = fixture
        .send("PATCH", "certificates/a.test", &tags)
        .await
        .json();
    assert_eq!(kept["snis"], json!(["*.w.test", "a.test"]));
    let swapped = json!({"snis": ["a.test", "b.test"]});
    let swapped = fixture
        .send("PATCH", "certificates/a.test", &swapped)
        .await
        .json();
    assert_eq!(swapped["snis"], json!(["a.test", "b.test"]));
    body.as_object_mut().unwrap().remove("snis");
    let replaced = fixture
        .send("PUT", "certificates/a.test", &body)
        .await
        .json();
    assert_eq!((&replaced["id"], &replaced["snis"]), (&id, &json!([])));
    assert_eq!(fixture.get("snis").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_group_of_a_consumer_goes_by_its_name() {
    let fixture = start().await;
    fixture
        .create("consumers", json!({"username": "ann"}))
        .await;
    let made = fixture
        .send("PUT", "consumers/ann/acls/staff", &json!({}))
        .await;
    assert_eq!((made.status, &made.json()["group"]), (200, &json!("staff")));
    let again = fixture
        .send("PUT", "consumers/ann/acls/staff", &json!({}))
        .await;
    assert_eq!(again.json()["id"], made.json()["id"]);
    assert_eq!(
        fixture.get("consumers/ann/acls/staff").await.json()["id"],
        made.json()["id"]
    );
    let options = fixture.bare("OPTIONS", "consumers/ann/acls/staff").await;
    assert_eq!(options.status, 204);
    for (method, path) in [
        ("GET", "consumers/ann/acls/nope"),
        ("OPTIONS", "consumers/ann/acls/nope"),
        ("DELETE", "consumers/nope/acls/staff"),
        (
            "OPTIONS",
            "consumers/nope/acls/0195d6a4-0000-4000-8000-00000000abcd",
        ),
    ] {
        let missing = fixture.bare(method, path).await;
        assert_eq!(missing.status, 404, "{method} {path}");
        assert_eq!(missing.json()["message"], "Not found");
        assert_eq!(missing.json()["request_id"].as_str().unwrap().len(), 32);
    }
    assert_eq!(
        fixture
            .bare("DELETE", "consumers/ann/acls/staff")
            .await
            .status,
        204
    );
    assert_eq!(fixture.get("acls").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_target_is_replaced_but_never_created_by_put() {
    let fixture = start().await;
    fixture.create("upstreams", json!({"name": "u.test"})).await;
    let item = "upstreams/u.test/targets/10.0.0.1:80";
    assert_eq!(
        fixture
            .send("PUT", item, &json!({"weight": 1}))
            .await
            .status,
        404
    );
    let body = json!({"target": "10.0.0.1:80"});
    let made = fixture.create("upstreams/u.test/targets", body).await;
    let put = fixture.send("PUT", item, &json!({"weight": 1})).await;
    assert_eq!((put.status, &put.json()["id"]), (200, &made["id"]));
    assert_eq!(put.json()["weight"], json!(1));
}

#[tokio::test]
async fn a_new_password_below_its_owner_is_hashed_with_it() {
    let fixture = start().await;
    fixture
        .create("consumers", json!({"username": "ann"}))
        .await;
    let path = "consumers/ann/basic-auth";
    let made = fixture
        .create(path, json!({"username": "b", "password": "p"}))
        .await;
    let first = made["password"].clone();
    assert_ne!(first, "p");
    let changed = fixture
        .send("PATCH", &format!("{path}/b"), &json!({"password": "q"}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_ne!(changed.json()["password"], first);
    assert_ne!(changed.json()["password"], "q");
    let top = fixture
        .send("PATCH", "basic-auths/b", &json!({"password": "r"}))
        .await;
    assert_eq!((top.status, &top.json()["code"]), (400, &json!(2)));
}

#[tokio::test]
async fn a_credential_tells_how_long_it_lives() {
    let fixture = start().await;
    fixture
        .create("consumers", json!({"username": "ann"}))
        .await;
    let path = "consumers/ann/key-auth";
    let forever = fixture.create(path, json!({"key": "a"})).await;
    assert_eq!(forever["ttl"], Value::Null);
    let made = fixture.create(path, json!({"key": "b", "ttl": 1000})).await;
    let left = |body: &Value| body["ttl"].as_u64().unwrap();
    assert!((990..=1000).contains(&left(&made)), "{made}");
    let patched = fixture
        .send("PATCH", "key-auths/b", &json!({"tags": ["t"]}))
        .await
        .json();
    assert!((980..=1001).contains(&left(&patched)), "{patched}");
    let read = fixture.get("key-auths/b").await.json();
    assert!((980..=1001).contains(&left(&read)), "{read}");
    for ttl in [json!(-1), json!(1.5), json!(100_000_001)] {
        let bad = fixture.send("POST", path, &json!({"ttl": ttl})).await;
        let text = "must be an integer between 0 and 100000000";
        let expected = json!({
            "code": 11,
            "name": "invalid options",
            "message": format!("invalid option (ttl: {text})"),
            "options": {"ttl": text},
        });
        assert_eq!((bad.status, bad.json()), (400, expected), "{ttl}");
    }
}
