//! Stores of secrets: what goes in never comes out.

use super::*;

async fn store(fixture: &Fixture, name: &str) -> String {
    let path = fixture.plane("/config-stores");
    let created = fixture.create(&path, json!({"name": name})).await;
    assert_eq!(keys(&created), ["id", "name", "created_at", "updated_at"]);
    format!("{path}/{}", created["id"].as_str().unwrap())
}

#[tokio::test]
async fn stores_are_created_listed_renamed_and_deleted() {
    let fixture = Fixture::start().await;
    let (one, two) = (store(&fixture, "one").await, store(&fixture, "two").await);

    let page = fixture
        .get(&fixture.plane("/config-stores?page[size]=1"))
        .await
        .json();
    let next = page["meta"]["page"]["next"].as_str().unwrap();
    let rest = fixture.get(next).await.json();

    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    assert_eq!(page["meta"]["page"]["size"], 1);
    assert_eq!(rest["meta"]["page"]["next"], Value::Null);
    assert_ne!(page["data"], rest["data"]);
    let renamed = fixture.send("PUT", &one, &json!({"name": "three"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    assert_eq!(fixture.get(&one).await.json(), renamed.json());
    let taken = fixture.send("PUT", &one, &json!({"name": "two"})).await;
    assert_problem(&taken, 409, "Conflict");
    let (path, body) = (fixture.plane("/config-stores"), json!({"name": "two"}));
    let doubled = fixture.send("POST", &path, &body).await;
    assert_problem(&doubled, 409, "Conflict");
    assert_eq!(fixture.delete(&two).await.status, 204);
    assert_problem(&fixture.get(&two).await, 404, "Not Found");
    assert_problem(&fixture.delete(&two).await, 404, "Not Found");
}

#[tokio::test]
async fn values_of_secrets_are_written_and_never_shown() {
    let fixture = Fixture::start().await;
    let store = store(&fixture, "one").await;
    let secrets = format!("{store}/secrets");
    let value = "hunter2-unmistakable";

    let created = fixture
        .create(&secrets, json!({"key": "db", "value": value}))
        .await;
    let replaced = fixture
        .send("PUT", &format!("{secrets}/db"), &json!({"value": value}))
        .await;
    let made = fixture
        .send("PUT", &format!("{secrets}/a%2Fb"), &json!({"value": value}))
        .await;

    assert_eq!(keys(&created), ["key", "created_at", "updated_at"]);
    assert_eq!((replaced.status, made.status), (200, 201));
    assert_eq!(made.json()["key"], "a/b");
    let list = fixture.get(&secrets).await;
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 2);
    for answer in [
        list,
        fixture.get(&format!("{secrets}/a%2Fb")).await,
        replaced,
        made,
    ] {
        assert!(!answer.text().contains(value), "{}", answer.text());
    }
    for path in [
        fixture.entity("config-stores"),
        fixture.entity("config_store_secrets"),
    ] {
        assert_eq!(fixture.get(&path).await.status, 404);
    }
    let doubled = fixture
        .send("POST", &secrets, &json!({"key": "db", "value": "x"}))
        .await;
    assert_problem(&doubled, 409, "Conflict");
    assert_eq!(fixture.delete(&format!("{secrets}/db")).await.status, 204);
    assert_problem(
        &fixture.get(&format!("{secrets}/db")).await,
        404,
        "Not Found",
    );
}

#[tokio::test]
async fn values_of_secrets_lie_sealed_on_the_disk() {
    let fixture = Fixture::start().await;
    let store = store(&fixture, "one").await;
    let body = json!({"key": "a-readable-key", "value": "hunter2-unmistakable"});
    fixture.create(&format!("{store}/secrets"), body).await;
    let mut all = Vec::new();
    for file in ["geo-us.db", "geo-us.db-wal"] {
        all.extend(std::fs::read(fixture.folder.join("data").join(file)).unwrap_or_default());
    }
    let has = |text: &str| all.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(
        has("a-readable-key"),
        "the rows are looked for at the right place"
    );
    assert!(!has("hunter2-unmistakable"));
}

#[tokio::test]
async fn a_store_with_secrets_goes_only_by_force() {
    let fixture = Fixture::start().await;
    let store = store(&fixture, "one").await;
    let body = json!({"key": "db", "value": "x"});
    fixture.create(&format!("{store}/secrets"), body).await;

    for path in [store.clone(), format!("{store}?force=false")] {
        let refused = fixture.delete(&path).await;
        assert_eq!(rules(&refused), pairs(&[("force", "required")]));
        assert_eq!(refused.json()["invalid_parameters"][0]["source"], "query");
    }
    let unclear = fixture.delete(&format!("{store}?force=maybe")).await;
    assert_eq!(rules(&unclear), pairs(&[("force", "is_boolean")]));
    assert_eq!(
        fixture.delete(&format!("{store}?force=true")).await.status,
        204
    );
    assert_problem(
        &fixture.get(&format!("{store}/secrets")).await,
        404,
        "Not Found",
    );
}

#[tokio::test]
async fn bad_stores_and_secrets_are_refused_with_every_reason() {
    let fixture = Fixture::start().await;
    let stores = fixture.plane("/config-stores");
    let secrets = format!("{}/secrets", store(&fixture, "one").await);
    let long = |length: usize| "x".repeat(length);
    for (path, body, expected) in [
        (&stores, json!({}), vec![("name", "required")]),
        (&stores, json!({"name": 1}), vec![("name", "is_string")]),
        (&stores, json!({"name": ""}), vec![("name", "min_length")]),
        (
            &stores,
            json!({"name": long(101)}),
            vec![("name", "max_length")],
        ),
        (
            &stores,
            json!({"name": "a", "b": 1}),
            vec![("b", "unknown_property")],
        ),
        (
            &secrets,
            json!({}),
            vec![("key", "required"), ("value", "required")],
        ),
        (
            &secrets,
            json!({"key": "", "value": ""}),
            vec![("key", "min_length"), ("value", "min_length")],
        ),
        (
            &secrets,
            json!({"key": long(513), "value": long(5121)}),
            vec![("key", "max_length"), ("value", "max_length")],
        ),
    ] {
        let answer = fixture.send("POST", path, &body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(rules(&answer), pairs(&expected));
    }
    let missing = format!("{stores}/{}/secrets", uuid::Uuid::new_v4());
    let answer = fixture
        .send("POST", &missing, &json!({"key": "a", "value": "b"}))
        .await;
    assert_problem(&answer, 404, "Not Found");
    let form = fixture
        .raw(
            "POST",
            &stores,
            "application/x-www-form-urlencoded",
            "name=a",
        )
        .await;
    assert_problem(&form, 415, "Unsupported Media Type");
    for query in ["page[size]=0", "page[size]=1001", "page[after]=x"] {
        assert_eq!(
            fixture.get(&format!("{stores}?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn stores_go_with_their_control_plane() {
    let fixture = Fixture::start().await;
    let plane = json!({"name": "short-lived"});
    let plane = fixture.create("/v2/control-planes", plane).await;
    let path = format!("/v2/control-planes/{}", plane["id"].as_str().unwrap());
    let store = fixture
        .create(&format!("{path}/config-stores"), json!({"name": "one"}))
        .await;
    assert_eq!(fixture.delete(&path).await.status, 204);
    let store = format!("{path}/config-stores/{}", store["id"].as_str().unwrap());
    assert_problem(&fixture.get(&store).await, 404, "Not Found");
}
