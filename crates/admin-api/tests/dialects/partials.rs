//! Partials, the plugins that use them, and plugins that callers brought along.

use serde_json::{Value, json};

use super::fixture::{BOTH, Dialect, Fixture};

/// A partial and a plugin that needs the host which it brings.
async fn start(dialect: Dialect) -> (Fixture, Value) {
    let fixture = Fixture::start(dialect).await;
    let partial = json!({"name": "shared", "type": "redis-ce", "config": {"host": "r.test"}});
    let partial = fixture.create("partials", partial).await;
    let plugin = fixture.create("plugins", limited(&partial)).await;
    (fixture, plugin)
}

fn limited(partial: &Value) -> Value {
    json!({
        "name": "rate-limiting",
        "instance_name": "mine",
        "partials": [{"id": partial["id"]}],
        "config": {"minute": 5, "policy": "redis"},
    })
}

#[tokio::test]
async fn a_partial_cannot_be_changed_so_that_a_plugin_breaks() {
    for dialect in BOTH {
        let methods: &[&str] = match dialect {
            Dialect::Gateway => &["PATCH", "PUT"],
            Dialect::Core => &["PUT"],
        };
        let (fixture, plugin) = start(dialect).await;
        let nowhere = json!({"name": "shared", "type": "redis-ce", "config": {"host": null}});
        for method in methods {
            let refused = fixture.send(method, "partials/shared", &nowhere).await;
            assert_eq!(refused.status, 400, "{dialect:?} {method}");
            let text = refused.text();
            let id = plugin["id"].as_str().unwrap();
            for said in ["rate-limiting", id, "host"] {
                assert!(text.contains(said), "{dialect:?} {method} {said}: {text}");
            }
        }
        let kept = fixture.get("partials/shared").await.json();
        assert_eq!(kept["config"]["host"], "r.test");
        let moved = json!({"name": "shared", "type": "redis-ce", "config": {"host": "s.test"}});
        for method in methods {
            let taken = fixture.send(method, "partials/shared", &moved).await;
            assert_eq!(taken.status, 200, "{dialect:?}: {}", taken.text());
        }

        let path = format!("plugins/{}", plugin["id"].as_str().unwrap());
        assert_eq!(fixture.bare("DELETE", &path).await.status, 204);
        let free = fixture.send("PUT", "partials/shared", &nowhere).await;
        assert_eq!(free.status, 200, "{dialect:?}: {}", free.text());
    }
}

#[tokio::test]
async fn plugins_that_use_a_partial_are_listed_in_pages() {
    let (fixture, first) = start(Dialect::Gateway).await;
    let partial = fixture.get("partials/shared").await.json();
    let service = fixture.create("services", json!({"host": "a.test"})).await;
    let mut second = limited(&partial);
    second["service"] = json!({"id": service["id"]});
    second["instance_name"] = json!("other");
    let second = fixture.create("plugins", second).await;
    let other = json!({"name": "key-auth"});
    fixture.create("plugins", other).await;

    let all = fixture.get("partials/shared/links").await.json();
    let link = |plugin: &Value| {
        json!({"id": plugin["id"], "name": "rate-limiting",
            "instance_name": plugin["instance_name"]})
    };
    let mut expected = vec![link(&first), link(&second)];
    expected.sort_by_key(|one| one["id"].to_string());
    assert_eq!(all, json!({"data": expected, "count": 2, "next": null}));

    let page = fixture.get("partials/shared/links?size=1").await.json();
    assert_eq!(
        (&page["data"], &page["count"]),
        (&json!([expected[0]]), &json!(2))
    );
    let next = page["next"].as_str().unwrap();
    let rest = fixture.get(next.trim_start_matches('/')).await.json();
    assert_eq!(
        rest,
        json!({"data": [expected[1]], "count": 2, "next": null})
    );

    assert_eq!(fixture.get("partials/none/links").await.status, 404);
    assert_eq!(
        fixture.bare("POST", "partials/shared/links").await.status,
        405
    );
}

#[tokio::test]
async fn brought_plugins_are_described_and_checked_in_both_dialects() {
    const LUA: &str = r#"return { name = "mine", fields = { { config = { type = "record",
        fields = { { times = { type = "integer", between = { 1, 9 } } } } } } } }"#;
    let mut fixture = Fixture::start(Dialect::Core).await;
    fixture
        .create("plugin-schemas", json!({"lua_schema": LUA}))
        .await;
    for dialect in [Dialect::Core, Dialect::Gateway] {
        let described = ["schemas/plugins/mine", "plugins/schema/mine"];
        let count = if dialect == Dialect::Core { 1 } else { 2 };
        fixture = fixture.speaking(dialect);
        for path in &described[..count] {
            let form = fixture.get(path).await;
            assert!(form.text().contains("times"), "{path}: {}", form.text());
        }
        for (times, status) in [(9, 200), (10, 400)] {
            let body = json!({"name": "mine", "config": {"times": times}});
            let checked = fixture
                .send("POST", "schemas/plugins/validate", &body)
                .await;
            assert_eq!(checked.status, status, "{dialect:?}: {}", checked.text());
        }
        let unknown = fixture.get("schemas/plugins/yours").await;
        assert_eq!(unknown.status, 404, "{dialect:?}");
    }
}
