//! Consumers in groups, from either side.

use super::*;

async fn prepare(fixture: &Fixture) {
    for name in ["ann", "bob", "eve"] {
        let body = json!({"username": name, "tags": [format!("is-{name}")]});
        fixture.create(&fixture.entity("consumers"), body).await;
    }
    for name in ["gold", "silver"] {
        let path = fixture.entity("consumer_groups");
        fixture.create(&path, json!({"name": name})).await;
    }
}

fn names(page: &Value, member: &str) -> Vec<String> {
    let rows = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    let mut names: Vec<_> = rows
        .iter()
        .map(|row| row[member].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn consumers_join_and_leave_groups_from_both_sides() {
    let fixture = Fixture::start().await;
    prepare(&fixture).await;
    let gold = fixture.entity("consumer_groups/gold/consumers");
    let of_bob = fixture.entity("consumers/bob/consumer_groups");

    let added = fixture.create(&gold, json!({"consumer": "ann"})).await;
    let joined = fixture.create(&of_bob, json!({"group": "gold"})).await;
    fixture.create(&of_bob, json!({"group": "silver"})).await;

    assert_eq!(keys(&added), ["consumer_group", "consumers"]);
    assert_eq!(added["consumer_group"]["name"], "gold");
    assert_eq!(added["consumers"][0]["username"], "ann");
    assert_eq!(keys(&joined), ["consumer", "consumer_groups"]);
    assert_eq!(joined["consumer_groups"][0]["name"], "gold");
    assert_eq!(
        names(&fixture.get(&gold).await.json(), "username"),
        ["ann", "bob"]
    );
    assert_eq!(
        names(&fixture.get(&of_bob).await.json(), "name"),
        ["gold", "silver"]
    );
    let tagged = fixture.get(&format!("{gold}?tags=is-bob")).await.json();
    assert_eq!(names(&tagged, "username"), ["bob"]);
    let first = fixture.get(&format!("{gold}?size=1")).await.json();
    let offset = first["offset"].as_str().unwrap();
    let second = fixture
        .get(&format!("{gold}?size=1&offset={offset}"))
        .await
        .json();
    assert_eq!(second["next"], Value::Null);
    assert_ne!(first["data"], second["data"]);

    for _ in 0..2 {
        assert_eq!(fixture.delete(&format!("{of_bob}/gold")).await.status, 204);
    }
    assert_eq!(names(&fixture.get(&gold).await.json(), "username"), ["ann"]);
    for _ in 0..2 {
        assert_eq!(fixture.delete(&gold).await.status, 204);
    }
    assert_eq!(
        fixture.get(&gold).await.json(),
        json!({"data": [], "next": null})
    );
    assert_eq!(
        names(&fixture.get(&of_bob).await.json(), "name"),
        ["silver"]
    );
}

#[tokio::test]
async fn a_group_is_read_with_its_consumers_and_plugins() {
    let fixture = Fixture::start().await;
    prepare(&fixture).await;
    let gold = fixture.entity("consumer_groups/gold");
    let members = format!("{gold}/consumers");
    fixture.create(&members, json!({"consumer": "ann"})).await;
    let described = json!({"lua_schema": plugin_schemas::LUA});
    fixture
        .create(&fixture.entity("plugin-schemas"), described)
        .await;
    let plugin = json!({"name": "mine"});
    let plugin = fixture.create(&format!("{gold}/plugins"), plugin).await;

    let whole = fixture.get(&gold).await.json();
    let short = fixture
        .get(&format!("{gold}?list_consumers=false"))
        .await
        .json();

    assert_eq!(whole["consumer_group"]["name"], "gold");
    assert_eq!(whole["consumers"][0]["username"], "ann");
    assert_eq!(whole["plugins"], json!([plugin]));
    assert_eq!(
        plugin["consumer_group"]["id"],
        whole["consumer_group"]["id"]
    );
    assert_eq!(keys(&short), ["consumer_group", "plugins"]);
}

#[tokio::test]
async fn members_go_with_their_consumer_and_their_group() {
    let fixture = Fixture::start().await;
    prepare(&fixture).await;
    for (group, consumer) in [("gold", "ann"), ("gold", "bob"), ("silver", "ann")] {
        let path = fixture.entity(&format!("consumer_groups/{group}/consumers"));
        fixture.create(&path, json!({"consumer": consumer})).await;
    }
    fixture.delete(&fixture.entity("consumers/bob")).await;
    fixture
        .delete(&fixture.entity("consumer_groups/silver"))
        .await;
    let gold = fixture
        .get(&fixture.entity("consumer_groups/gold/consumers"))
        .await;
    let ann = fixture
        .get(&fixture.entity("consumers/ann/consumer_groups"))
        .await;
    assert_eq!(names(&gold.json(), "username"), ["ann"]);
    assert_eq!(names(&ann.json(), "name"), ["gold"]);
}

#[tokio::test]
async fn bad_members_are_refused() {
    let fixture = Fixture::start().await;
    prepare(&fixture).await;
    let gold = fixture.entity("consumer_groups/gold/consumers");
    fixture.create(&gold, json!({"consumer": "ann"})).await;
    for (body, kind) in [
        (json!({}), "validation error"),
        (json!({"consumer": null}), "validation error"),
        (json!({"consumer": 1}), "validation error"),
        (json!({"consumer": "nobody"}), "data constraint error"),
        (
            json!({"consumer": uuid::Uuid::new_v4()}),
            "data constraint error",
        ),
        (json!({"consumer": "ann"}), "data constraint error"),
    ] {
        let answer = fixture.send("POST", &gold, &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert_eq!(answer.json()["message"], kind, "{body}");
    }
    for path in [
        "consumer_groups/none/consumers",
        "consumers/none/consumer_groups",
    ] {
        let path = fixture.entity(path);
        assert_eq!(fixture.get(&path).await.status, 404);
        assert_eq!(fixture.delete(&path).await.status, 404);
        let body = json!({"consumer": "ann", "group": "gold"});
        assert_eq!(fixture.send("POST", &path, &body).await.status, 404);
    }
    let path = format!("{gold}/ann");
    assert_eq!(fixture.get(&path).await.status, 405);
    assert_eq!(fixture.get(&path).await.header("allow"), Some("DELETE"));
}

#[tokio::test]
async fn the_plugins_that_use_a_partial_are_listed() {
    let fixture = Fixture::start().await;
    let partial = json!({"name": "shared", "type": "redis-ce", "config": {"host": "r.test"}});
    let partial = fixture.create(&fixture.entity("partials"), partial).await;
    let id = partial["id"].as_str().unwrap();
    let plugin = json!({
        "name": "rate-limiting", "instance_name": "mine", "partials": [{"id": id}],
        "config": {"minute": 5},
    });
    let plugin = fixture.create(&fixture.entity("plugins"), plugin).await;

    for key in ["shared", id] {
        let path = fixture.entity(&format!("partials/{key}/links"));
        let expected = json!({
            "data": [{"id": plugin["id"], "name": "rate-limiting", "instance_name": "mine"}],
            "count": 1, "next": null,
        });
        assert_eq!(fixture.get(&path).await.json(), expected);
    }
    let path = fixture.entity(&format!("plugins/{}", plugin["id"].as_str().unwrap()));
    let plain = fixture.get(&path).await.json();
    let expanded = fixture
        .get(&format!("{path}?expand_partials=true"))
        .await
        .json();
    assert_eq!(plain, plugin);
    assert_eq!(expanded["config"]["redis"]["host"], "r.test");
    assert_eq!(expanded["partials"], plugin["partials"]);
    let none = fixture.get(&fixture.entity("partials/none/links")).await;
    assert_eq!(none.status, 404);
    let refused = fixture.delete(&fixture.entity("partials/shared")).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.json()["message"], "data constraint error");
}
