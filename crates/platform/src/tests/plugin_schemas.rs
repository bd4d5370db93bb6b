//! Plugins that callers brought along: described, configured, checked.

use super::*;

/// A small description.
pub(super) const LUA: &str = r#"
local typedefs = require("kong.db.schema.typedefs")
return {
  name = "mine",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      { greeting = { type = "string", required = true, default = "hello" } },
      { times = { type = "integer", between = { 1, 9 } } },
    } } },
  },
}
"#;

#[tokio::test]
async fn a_plugin_is_described_configured_and_forgotten() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("plugin-schemas");
    let one = format!("{list}/mine");
    let unknown = fixture
        .send("POST", &fixture.entity("plugins"), &json!({"name": "mine"}))
        .await;
    assert_eq!(unknown.status, 400);

    let created = fixture.create(&list, json!({"lua_schema": LUA})).await;
    let form = fixture.get(&fixture.entity("schemas/plugins/mine")).await;
    let plugin = fixture
        .create(&fixture.entity("plugins"), json!({"name": "mine"}))
        .await;

    assert_eq!(
        keys(&created["item"]),
        ["name", "lua_schema", "created_at", "updated_at"]
    );
    assert_eq!(created["item"]["name"], "mine");
    assert_eq!(fixture.get(&one).await.json(), created);
    let page = fixture.get(&list).await.json();
    assert_eq!(
        page,
        json!({"items": [created["item"]], "page": {"total_count": 1}})
    );
    assert!(form.text().contains("greeting"), "{}", form.text());
    assert_eq!(plugin["config"]["greeting"], "hello");
    let path = fixture.entity(&format!("plugins/{}", plugin["id"].as_str().unwrap()));
    let put = json!({"name": "mine", "config": {"times": 3}});
    let put = fixture.send("PUT", &path, &put).await;
    assert_eq!(
        put.json()["config"],
        json!({"greeting": "hello", "times": 3})
    );
    let check = fixture.entity("schemas/plugins/validate");
    for (config, status) in [(json!({"times": 9}), 200), (json!({"times": 10}), 400)] {
        let body = json!({"name": "mine", "config": config});
        assert_eq!(fixture.send("POST", &check, &body).await.status, status);
        let written = fixture.send("PUT", &path, &body).await;
        assert_eq!(written.status, status, "{}", written.text());
    }
    let used = fixture.delete(&one).await;
    assert_eq!(
        used.json()["message"],
        "data constraint error",
        "{}",
        used.text()
    );
    fixture.delete(&path).await;
    for _ in 0..2 {
        assert_eq!(fixture.delete(&one).await.status, 204);
    }
    assert_eq!(fixture.get(&one).await.status, 404);
    let gone = fixture.get(&fixture.entity("schemas/plugins/mine")).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn a_description_is_replaced_by_the_name_in_its_text() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("plugin-schemas");
    let body = json!({"lua_schema": LUA});
    let made = fixture.send("PUT", &format!("{list}/mine"), &body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let doubled = fixture.send("POST", &list, &body).await;
    assert_eq!(
        (doubled.status, doubled.json()),
        (409, json!({"message": "Conflict"}))
    );
    let other = LUA.replace("\"hello\"", "\"salut\"");
    let put = fixture
        .send(
            "PUT",
            &format!("{list}/mine"),
            &json!({"lua_schema": other}),
        )
        .await;
    assert_eq!(
        put.json()["item"]["created_at"],
        made.json()["item"]["created_at"]
    );
    let plugin = fixture
        .create(&fixture.entity("plugins"), json!({"name": "mine"}))
        .await;
    assert_eq!(plugin["config"]["greeting"], "salut");
    let elsewhere = fixture.send("PUT", &format!("{list}/yours"), &body).await;
    assert_eq!(elsewhere.status, 400);
    assert!(elsewhere.text().contains("`mine`"), "{}", elsewhere.text());
}

#[tokio::test]
async fn texts_that_are_no_descriptions_are_refused_with_the_reason() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("plugin-schemas");
    let built_in = LUA.replace("\"mine\"", "\"cors\"");
    for (body, expected) in [
        (json!({}), "required field missing"),
        (json!({"lua_schema": 1}), "expected a string"),
        (json!({"lua_schema": "\n\nos.exit()"}), "line 3"),
        (json!({"lua_schema": "return {}"}), "`name` must be given"),
        (json!({"lua_schema": built_in}), "everybody has"),
    ] {
        let answer = fixture.send("POST", &list, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let detail = &answer.json()["details"][0];
        assert_eq!(detail["field"], "lua_schema");
        let message = detail["messages"][0].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn a_plugin_of_one_control_plane_is_unknown_to_another() {
    let fixture = Fixture::start().await;
    fixture
        .create(
            &fixture.entity("plugin-schemas"),
            json!({"lua_schema": LUA}),
        )
        .await;
    let other = fixture
        .create("/v2/control-planes", json!({"name": "other"}))
        .await;
    let path = format!(
        "/v2/control-planes/{}/core-entities",
        other["id"].as_str().unwrap()
    );
    let list = fixture.get(&format!("{path}/plugin-schemas")).await.json();
    assert_eq!(list, json!({"items": [], "page": {"total_count": 0}}));
    let plugin = fixture
        .send("POST", &format!("{path}/plugins"), &json!({"name": "mine"}))
        .await;
    assert_eq!(plugin.status, 400);
}

#[tokio::test]
async fn uploaded_plugins_are_checked_by_their_own_description() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("custom-plugins");
    let body = json!({"name": "mine", "schema": LUA, "handler": "return {}"});
    fixture.create(&list, body).await;
    let plugin = fixture
        .create(&fixture.entity("plugins"), json!({"name": "mine"}))
        .await;
    assert_eq!(plugin["config"]["greeting"], "hello");
    for (name, schema, expected) in [
        ("mine2", LUA, "`mine`"),
        ("mine", "return 1", "is a table"),
        (
            "cors",
            &LUA.replace("\"mine\"", "\"cors\""),
            "everybody has",
        ),
    ] {
        let body = json!({"name": name, "schema": schema, "handler": "return {}"});
        let answer = fixture.send("POST", &list, &body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_brought_plugin_is_known_to_the_other_dialect() {
    let fixture = Fixture::start().await;
    let admin = |path: &str| fixture.plane(&format!("/admin/{path}"));
    let unknown = fixture.get(&admin("schemas/plugins/mine")).await;
    assert_eq!(unknown.status, 404);
    fixture
        .create(
            &fixture.entity("plugin-schemas"),
            json!({"lua_schema": LUA}),
        )
        .await;

    let form = fixture.get(&admin("schemas/plugins/mine")).await;
    let enabled = fixture.get(&admin("plugins/enabled")).await.json();
    let body = json!({"name": "mine", "config": {"times": 10}});
    let check = fixture
        .send("POST", &admin("schemas/plugins/validate"), &body)
        .await;

    assert!(form.text().contains("greeting"), "{}", form.text());
    let enabled = enabled["enabled_plugins"].as_array().unwrap();
    assert!(enabled.contains(&json!("mine")) && enabled.contains(&json!("cors")));
    assert_eq!(check.status, 400, "{}", check.text());
    assert_eq!(
        check.json()["fields"],
        json!({"config": {"times": "value should be between 1 and 9"}})
    );
    let plugin = fixture
        .create(&admin("plugins"), json!({"name": "mine"}))
        .await;
    assert_eq!(plugin["config"]["greeting"], "hello");
}

#[tokio::test]
async fn a_document_configures_a_brought_plugin() {
    let fixture = Fixture::start().await;
    let batch = fixture.plane("/declarative-configuration");
    let document = json!({
        "_format_version": "3.0",
        "plugins": [{"name": "mine", "config": {"times": 3}}],
    });
    let unknown = fixture.send("POST", &batch, &document).await;
    assert_eq!(unknown.status, 400);
    fixture
        .create(
            &fixture.entity("plugin-schemas"),
            json!({"lua_schema": LUA}),
        )
        .await;

    for path in [
        batch.clone(),
        fixture.plane("/declarative"),
        batch.clone() + "?dry_run=true",
    ] {
        let applied = fixture.send("POST", &path, &document).await;
        assert_eq!(applied.status, 200, "{path}: {}", applied.text());
    }

    let plugins = fixture.get(&fixture.entity("plugins")).await.json();
    assert_eq!(
        plugins["data"][0]["config"],
        json!({"greeting": "hello", "times": 3})
    );
    let written = fixture.get(&format!("{batch}?format=json")).await.json();
    assert_eq!(written["plugins"][0]["config"], json!({"times": 3}));
    let again = fixture
        .send("POST", &format!("{batch}?dry_run=true"), &written)
        .await;
    assert_eq!(again.json()["changes"], json!([]), "{}", again.text());
    let mut wrong = document;
    wrong["plugins"][0]["config"]["times"] = json!(10);
    let refused = fixture.send("POST", &batch, &wrong).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["problems"][0]["message"],
        "value should be between 1 and 9"
    );
}

#[tokio::test]
async fn a_document_can_bring_the_plugin_that_it_configures() {
    let fixture = Fixture::start().await;
    let batch = fixture.plane("/declarative-configuration");
    let uploaded = json!({"name": "mine", "schema": LUA, "handler": "return {}"});
    let document = json!({
        "_format_version": "3.0",
        "custom_plugins": [uploaded],
        "plugins": [{"name": "mine"}],
    });
    let applied = fixture.send("POST", &batch, &document).await;
    assert_eq!(applied.status, 200, "{}", applied.text());
    let used = fixture.delete(&fixture.entity("custom-plugins/mine")).await;
    assert_eq!(used.status, 400, "{}", used.text());
    let mut without = document.clone();
    without["custom_plugins"] = json!([]);
    let refused = fixture.send("POST", &batch, &without).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let mut broken = document;
    broken["custom_plugins"][0]["schema"] = json!("\n\nos.exit()");
    let refused = fixture.send("POST", &batch, &broken).await.json();
    let problem = &refused["problems"][0];
    assert_eq!(problem["path"], "custom_plugins[0].schema", "{refused}");
    assert!(problem["message"].as_str().unwrap().contains("line 3"));
}
