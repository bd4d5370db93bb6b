//! Documents with a plan over HTTP.

use super::*;

const PATH: &str = "/declarative-configuration";

const GOOD: &str = "_format_version: \"3.0\"
services:
- name: orders
  url: http://orders.internal:8080
  routes:
  - name: orders
    paths: [/orders]
consumers:
- username: ann
  keyauth_credentials:
  - key: very-secret-1
";

async fn post(fixture: &Fixture, query: &str, text: &str) -> Answer {
    let path = fixture.plane(&format!("{PATH}{query}"));
    fixture.raw("POST", &path, "application/yaml", text).await
}

async fn plan(fixture: &Fixture, query: &str, text: &str) -> Value {
    let answer = post(fixture, &format!("?dry_run=true{query}"), text).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn version(fixture: &Fixture) -> u64 {
    let answer = fixture.get(&fixture.plane("/revisions")).await.json();
    answer["current"].as_u64().unwrap()
}

#[tokio::test]
async fn a_plan_tells_what_would_change_and_changes_nothing() {
    let fixture = Fixture::start().await;
    let told = plan(&fixture, "", GOOD).await;

    assert_eq!(told["base_version"], 0);
    assert_eq!(
        told["summary"],
        json!({"create": 4, "update": 0, "delete": 0, "unchanged": 0})
    );
    let changes = told["changes"].as_array().unwrap();
    let service = changes
        .iter()
        .find(|change| change["kind"] == "services")
        .unwrap();
    assert_eq!(
        (&service["action"], &service["name"]),
        (&json!("create"), &json!("orders"))
    );
    assert_eq!(service["after"]["port"], 8080);
    assert!(
        !told.to_string().contains("very-secret-1"),
        "secrets are masked: {told}"
    );
    assert_eq!(version(&fixture).await, 0);
    assert_eq!(
        fixture.get(&fixture.entity("services/orders")).await.status,
        404
    );
    assert_eq!(
        plan(&fixture, "", GOOD).await["plan"],
        told["plan"],
        "the same again"
    );
}

#[tokio::test]
async fn exactly_the_plan_is_applied_and_a_repeat_changes_nothing() {
    let fixture = Fixture::start().await;
    let id = plan(&fixture, "", GOOD).await["plan"].clone();
    let id = id.as_str().unwrap();

    let answer = post(&fixture, &format!("?plan={id}"), GOOD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["changed"], 4);
    let again = post(&fixture, &format!("?plan={id}"), GOOD).await;
    assert_eq!(
        (again.status, &again.json()["changed"]),
        (200, &json!(0)),
        "{}",
        again.text()
    );
    assert_eq!(version(&fixture).await, 1);

    let changed = GOOD.replace(":8080", ":8081");
    let told = plan(&fixture, "", &changed).await;
    assert_eq!(
        told["summary"],
        json!({"create": 0, "update": 1, "delete": 0, "unchanged": 3})
    );
    assert_eq!(
        told["changes"][0]["differences"],
        json!([{"path": "port", "before": 8080, "after": 8081}])
    );
}

#[tokio::test]
async fn a_secret_that_differs_is_told_without_its_value() {
    let fixture = Fixture::start().await;
    let file = format!(
        "{GOOD}plugins:\n- name: rate-limiting\n  config: {{minute: 5, policy: redis, redis: {{host: h, password: hunter-1}}}}\n"
    );
    assert_eq!(post(&fixture, "", &file).await.status, 200);
    let told = plan(
        &fixture,
        "",
        &file
            .replace("hunter-1", "hunter-2")
            .replace("minute: 5", "minute: 6"),
    )
    .await;
    let differences = told["changes"][0]["differences"].as_array().unwrap();
    let find = |path: &str| differences.iter().find(|it| it["path"] == path).unwrap();
    assert_eq!(find("config.minute")["after"], 6);
    assert_eq!(find("config.redis.password")["secret"], true);
    assert!(!told.to_string().contains("hunter"), "{told}");
}

#[tokio::test]
async fn a_plan_is_refused_when_the_base_moved_or_the_document_differs() {
    let fixture = Fixture::start().await;
    let id = plan(&fixture, "", GOOD).await["plan"].clone();
    let query = format!("?plan={}", id.as_str().unwrap());

    let other = post(&fixture, &query, &GOOD.replace("ann", "bob")).await;
    assert_eq!(other.status, 409, "{}", other.text());
    let old = json!({"name": "other", "host": "other.test"});
    fixture.create(&fixture.entity("services"), old).await;
    let moved = post(&fixture, &query, GOOD).await;
    assert_eq!(moved.status, 409, "{}", moved.text());
    assert_eq!(moved.json()["base_version"], 1);
    for wrong in ["?plan=nonsense", "?plan=0-0-0"] {
        assert_eq!(post(&fixture, wrong, GOOD).await.status, 409, "{wrong}");
    }
    assert_eq!(version(&fixture).await, 1, "nothing was changed");
    assert_eq!(
        fixture.get(&fixture.entity("services/other")).await.status,
        200
    );
}

#[tokio::test]
async fn a_selection_changes_only_rows_with_its_tags() {
    let fixture = Fixture::start().await;
    let service = |name: &str, tags: Value| json!({"name": name, "host": "h.test", "tags": tags});
    let services = fixture.entity("services");
    fixture
        .create(&services, service("theirs", json!(["b"])))
        .await;
    fixture
        .create(&services, service("old", json!(["a", "x"])))
        .await;
    let file = "_format_version: \"3.0\"\nservices:\n- name: new\n  host: h\nroutes:\n- name: r\n  paths: [/r]\n  service: theirs\n";

    let told = plan(&fixture, "&select_tags=a", file).await;
    assert_eq!(
        told["summary"],
        json!({"create": 2, "update": 0, "delete": 1, "unchanged": 0}),
        "{told}"
    );
    let answer = post(&fixture, "?select_tags=a", file).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let status = async |path: &str| fixture.get(&fixture.entity(path)).await.status;
    assert_eq!(
        (
            status("services/theirs").await,
            status("services/old").await
        ),
        (200, 404)
    );
    let route = fixture.get(&fixture.entity("routes/r")).await.json();
    assert_eq!(route["tags"], json!(["a"]));
    let theirs = fixture.get(&fixture.entity("services/theirs")).await.json();
    assert_eq!(route["service"]["id"], theirs["id"]);

    let clash = "_format_version: \"3.0\"\n_info: {select_tags: [a]}\nservices:\n- name: theirs\n  host: mine\n";
    let refused = post(&fixture, "", clash).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(
        refused.text().contains("selection")
            || refused.text().contains("taken")
            || refused.text().contains("already"),
        "{}",
        refused.text()
    );
    let theirs = fixture.get(&fixture.entity("services/theirs")).await.json();
    assert_eq!(theirs["host"], "h.test");
}

#[tokio::test]
async fn what_was_read_and_written_back_changes_nothing() {
    let fixture = Fixture::start().await;
    assert_eq!(post(&fixture, "", GOOD).await.status, 200);
    fixture
        .create(
            &fixture.entity("services"),
            json!({"host": "nameless.test"}),
        )
        .await;
    let before = version(&fixture).await;

    for (format, kind) in [
        ("?format=yaml", "application/yaml"),
        ("", "application/json"),
    ] {
        let read = fixture
            .get(&fixture.plane(&format!("{PATH}{format}")))
            .await;
        assert_eq!(read.status, 200);
        assert_eq!(read.header("content-type"), Some(kind));
        assert_eq!(
            read.header("x-gatehouse-version"),
            Some(before.to_string().as_str())
        );
        let told = plan(&fixture, "", &read.text()).await;
        assert_eq!(told["changes"], json!([]), "{}", read.text());
        let written = post(&fixture, "", &read.text()).await;
        assert_eq!(written.json()["changed"], 0, "{}", written.text());
    }
    assert_eq!(version(&fixture).await, before);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let fixture = Fixture::start().await;
    for (query, text, status, part) in [
        ("?dry_run=maybe", GOOD, 400, "dry_run"),
        ("?dryrun=true", GOOD, 400, "dryrun"),
        ("?dry_run=true&plan=x", GOOD, 400, "exclude"),
        ("?format=toml", GOOD, 400, "toml"),
        ("", "", 400, "problem"),
        ("", "[]", 400, "problem"),
        ("", "\u{0}", 400, "NUL"),
        ("", "a: [", 400, "line"),
        (
            "?dry_run=true",
            "_format_version: \"3.0\"\nservices: 3\n",
            400,
            "expected an array",
        ),
        ("", "_format_version: \"9\"\n", 400, "3.0"),
        (
            "",
            "_format_version: \"3.0\"\nroutes: [{paths: [/a], service: nobody}]\n",
            400,
            "nobody",
        ),
    ] {
        let answer = post(&fixture, query, text).await;
        assert_eq!(answer.status, status, "{query} {text:?}: {}", answer.text());
        assert!(answer.text().contains(part), "{part} in {}", answer.text());
    }
    assert_eq!(version(&fixture).await, 0);
}

#[tokio::test]
async fn a_row_that_others_need_is_not_taken_away_by_a_selection() {
    let fixture = Fixture::start().await;
    let mine = json!({"name": "mine", "host": "h.test", "tags": ["a"]});
    let mine = fixture.create(&fixture.entity("services"), mine).await;
    let route = json!({"name": "theirs", "paths": ["/t"], "service": {"id": mine["id"]}});
    fixture.create(&fixture.entity("routes"), route).await;

    let answer = post(&fixture, "?select_tags=a", "_format_version: \"3.0\"\n").await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.text().contains("outside of the selection"),
        "{}",
        answer.text()
    );
    assert_eq!(
        fixture.get(&fixture.entity("services/mine")).await.status,
        200
    );
}

#[tokio::test]
async fn routes_that_never_match_and_risky_patterns_are_told() {
    let fixture = Fixture::start().await;
    let file = "_format_version: \"3.0\"\nroutes:\n- {name: wide, paths: [\"~/api\"]}\n- {name: hidden, paths: [/api/v1]}\n- {name: slow, paths: [\"~/(a+)+$\"]}\n";
    let told = plan(&fixture, "", file).await;
    let codes: Vec<_> = told["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["code"].clone(), it["name"].clone()))
        .collect();
    assert_eq!(
        codes,
        [
            (json!("regex_backtracks"), json!("slow")),
            (json!("route_never_matches"), json!("hidden")),
        ]
    );
    let done = post(&fixture, "", file).await.json();
    assert_eq!(done["warnings"], told["warnings"]);
    let path = fixture.plane("/declarative");
    let imported = fixture.raw("POST", &path, "text/yaml", file).await.json();
    assert_eq!(imported["warnings"], told["warnings"]);
}

#[tokio::test]
async fn a_single_write_tells_warnings_in_a_header_and_keeps_its_body() {
    let fixture = Fixture::start().await;
    let routes = fixture.entity("routes");
    let wide = json!({"name": "wide", "paths": ["~/api"]});
    let first = fixture.send("POST", &routes, &wide).await;
    assert_eq!(
        (first.status, first.header("x-gatehouse-warning")),
        (201, None)
    );

    let hidden = fixture
        .send(
            "POST",
            &routes,
            &json!({"name": "hidden", "paths": ["/api/v1"]}),
        )
        .await;
    assert_eq!(hidden.status, 201);
    let warning = hidden.header("x-gatehouse-warning").unwrap();
    assert!(
        warning.starts_with("route_never_matches:") && warning.contains("`wide`"),
        "{warning}"
    );
    assert_eq!(hidden.json()["name"], "hidden");

    let admin = fixture.plane("/admin/routes/hidden");
    let moved = fixture
        .send("PATCH", &admin, &json!({"paths": ["/free"]}))
        .await;
    assert_eq!(
        (moved.status, moved.header("x-gatehouse-warning")),
        (200, None),
        "{}",
        moved.text()
    );
    let back = fixture
        .send("PATCH", &admin, &json!({"paths": ["/api/v2"]}))
        .await;
    assert!(
        back.header("x-gatehouse-warning").is_some(),
        "{}",
        back.text()
    );
    assert_eq!(back.json()["paths"], json!(["/api/v2"]));
}
