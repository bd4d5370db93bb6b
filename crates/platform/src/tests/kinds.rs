//! One scenario for every kind of entity: written, read, listed, filtered, paged, replaced,
//! deleted, checked; from one table.

use test_support::TestAuthority;

use super::*;

/// A kind, where it is written, and what is written.
struct Case {
    /// Segments of its collection; `{parent}` is what [`parents`] made.
    path: &'static str,
    /// Another collection in which it is listed too.
    flat: Option<&'static str>,
    /// A body, and the member that tells two apart (`None`: each row may be the same).
    body: Value,
    differs: Option<&'static str>,
    /// The member by which it can be addressed.
    key: Option<&'static str>,
    /// A change of the body, and a body that breaks a rule.
    change: Value,
    wrong: Value,
    has_tags: bool,
    /// The name under which it is described and checked.
    schema: &'static str,
}

fn case(path: &'static str, schema: &'static str, body: Value) -> Case {
    Case {
        path,
        flat: None,
        body,
        differs: Some("name"),
        key: Some("name"),
        change: json!({"tags": ["changed"]}),
        wrong: json!({"colour": "red"}),
        has_tags: true,
        schema,
    }
}

/// Rows that others lie in: `service`, `route`, `consumer`, `group`, `upstream`, `certificate`,
/// `set`, and an authority's certificate `ca`.
async fn parents(fixture: &Fixture) -> Value {
    let pair = TestAuthority::new("pair").server(&["a.test"]);
    let ca = json!({"cert": TestAuthority::new("ca").pem()});
    let certificate = json!({"cert": pair.certificate, "key": pair.key});
    // Of a plugin that may stand on a group.
    let lua = plugin_schemas::LUA.replace("\"mine\"", "\"grouped\"");
    fixture
        .create(
            &fixture.entity("plugin-schemas"),
            json!({"lua_schema": lua}),
        )
        .await;
    let mut made = json!({});
    for (name, path, body) in [
        ("service", "services", json!({"host": "a.test"})),
        ("route", "routes", json!({"paths": ["/parent"]})),
        ("consumer", "consumers", json!({"username": "parent"})),
        ("group", "consumer_groups", json!({"name": "parent"})),
        ("upstream", "upstreams", json!({"name": "parent"})),
        ("certificate", "certificates", certificate),
        ("set", "key-sets", json!({"name": "parent"})),
        ("ca", "ca_certificates", ca),
    ] {
        let created = fixture.create(&fixture.entity(path), body).await;
        made[name] = created["id"].clone();
    }
    made
}

fn id<'p>(parents: &'p Value, name: &str) -> &'p str {
    parents[name].as_str().unwrap()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases(parents: &Value) -> Vec<Case> {
    let pem = |name: &str| TestAuthority::new(name).client(name);
    let jwk = |kid: &str| json!({"kid": kid, "kty": "RSA", "n": "AQAB", "e": "AQAB"}).to_string();
    let pair = pem("case");
    let config = json!({"host": "redis.test", "port": 6379});
    let plugin = |path| Case {
        differs: None,
        key: None,
        change: json!({"enabled": false}),
        wrong: json!({"config": {"colour": "red"}}),
        ..case(path, "plugins", json!({"name": "correlation-id"}))
    };
    let credential = |path, flat, schema, body, key| Case {
        flat: Some(flat),
        differs: Some(key),
        key: Some(key),
        ..case(path, schema, body)
    };
    vec![
        case(
            "services",
            "services",
            json!({"name": "one", "host": "a.test"}),
        ),
        case("routes", "routes", json!({"name": "one", "paths": ["/a"]})),
        case(
            "services/{service}/routes",
            "routes",
            json!({"name": "two", "paths": ["/b"]}),
        ),
        Case {
            differs: Some("username"),
            key: Some("username"),
            ..case("consumers", "consumers", json!({"username": "ann"}))
        },
        case(
            "consumer_groups",
            "consumer_groups",
            json!({"name": "gold"}),
        ),
        case("upstreams", "upstreams", json!({"name": "a.upstream"})),
        Case {
            flat: Some("targets"),
            differs: Some("target"),
            key: Some("target"),
            change: json!({"weight": 7}),
            wrong: json!({"weight": -1}),
            ..case(
                "upstreams/{upstream}/targets",
                "targets",
                json!({"target": "127.0.0.1:80"}),
            )
        },
        Case {
            differs: None,
            key: None,
            ..case(
                "certificates",
                "certificates",
                json!({"cert": pair.certificate, "key": pair.key}),
            )
        },
        Case {
            differs: None,
            key: None,
            ..case(
                "ca_certificates",
                "ca_certificates",
                json!({"cert": TestAuthority::new("another").pem()}),
            )
        },
        case(
            "snis",
            "snis",
            json!({"name": "b.test", "certificate": {"id": id(parents, "certificate")}}),
        ),
        case(
            "certificates/{certificate}/snis",
            "snis",
            json!({"name": "c.test"}),
        ),
        Case {
            differs: Some("prefix"),
            key: Some("prefix"),
            change: json!({"description": "changed"}),
            ..case(
                "vaults",
                "vaults",
                json!({"name": "env", "prefix": "my-env"}),
            )
        },
        case("key-sets", "key_sets", json!({"name": "mine"})),
        case(
            "keys",
            "keys",
            json!({"name": "k", "kid": "k", "jwk": jwk("k")}),
        ),
        case(
            "key-sets/{set}/keys",
            "keys",
            json!({"name": "l", "kid": "l", "jwk": jwk("l")}),
        ),
        case(
            "partials",
            "partials",
            json!({"name": "shared", "type": "redis-ce", "config": config}),
        ),
        Case {
            differs: None,
            key: Some("name"),
            ..case(
                "custom-plugins",
                "custom_plugins",
                json!({"name": "mine", "schema": plugin_schemas::LUA, "handler": "return {}"}),
            )
        },
        plugin("plugins"),
        plugin("services/{service}/plugins"),
        plugin("routes/{route}/plugins"),
        Case {
            body: json!({"name": "rate-limiting", "config": {"minute": 5}}),
            ..plugin("consumers/{consumer}/plugins")
        },
        Case {
            body: json!({"name": "grouped"}),
            ..plugin("consumer_groups/{group}/plugins")
        },
        Case {
            key: None,
            ..credential(
                "consumers/{consumer}/acls",
                "acls",
                "acls",
                json!({"group": "team-a"}),
                "group",
            )
        },
        credential(
            "consumers/{consumer}/basic-auth",
            "basic-auths",
            "basicauth_credentials",
            json!({"username": "ann", "password": "secret"}),
            "username",
        ),
        credential(
            "consumers/{consumer}/hmac-auth",
            "hmac-auths",
            "hmacauth_credentials",
            json!({"username": "ann", "secret": "secret"}),
            "username",
        ),
        credential(
            "consumers/{consumer}/jwt",
            "jwts",
            "jwt_secrets",
            json!({"key": "issuer", "secret": "secret"}),
            "key",
        ),
        credential(
            "consumers/{consumer}/key-auth",
            "key-auths",
            "keyauth_credentials",
            json!({"key": "key-1"}),
            "key",
        ),
        Case {
            key: None,
            ..credential(
                "consumers/{consumer}/mtls-auth",
                "mtls-auths",
                "mtls_auth_credentials",
                json!({"subject_name": "ann@example.org"}),
                "subject_name",
            )
        },
        Case {
            flat: Some("degraphql_routes"),
            differs: Some("uri"),
            key: None,
            change: json!({"methods": ["POST"]}),
            has_tags: false,
            ..case(
                "services/{service}/degraphql/routes",
                "degraphql_routes",
                json!({"uri": "/a", "query": "query { a }"}),
            )
        },
        Case {
            flat: Some("graphql-rate-limiting-advanced/costs"),
            differs: Some("type_path"),
            key: None,
            change: json!({"add_constant": 2}),
            has_tags: false,
            ..case(
                "services/{service}/graphql-rate-limiting-advanced/costs",
                "graphql_ratelimiting_cost_decorations",
                json!({"type_path": "Query.a"}),
            )
        },
    ]
}

fn merged(body: &Value, more: &Value) -> Value {
    let mut body = body.clone();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn without(body: &Value, names: &[&str]) -> Value {
    let mut body = body.clone();
    for name in names {
        body.as_object_mut().unwrap().remove(*name);
    }
    body
}

/// What single consumer groups are wrapped in.
fn unwrapped(body: Value) -> Value {
    match body.get("consumer_group") {
        Some(group) if body.get("plugins").is_some() => group.clone(),
        _ => body,
    }
}

async fn lifecycle(fixture: &Fixture, parents: &Value, case: &Case) {
    let mut list = case.path.to_owned();
    for (name, id) in parents.as_object().unwrap() {
        list = list.replace(&format!("{{{name}}}"), id.as_str().unwrap());
    }
    let list = fixture.entity(&list);
    let body = if case.has_tags {
        merged(&case.body, &json!({"tags": ["one", "two"]}))
    } else {
        case.body.clone()
    };
    let created = fixture.create(&list, body.clone()).await;
    let id = created["id"].as_str().unwrap().to_owned();
    let by_id = format!("{list}/{id}");

    let read = async |path: &str| {
        let answer = fixture.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        unwrapped(answer.json())
    };
    assert_eq!(read(&by_id).await, created, "{list}");
    if let Some(key) = case.key {
        let path = format!("{list}/{}", created[key].as_str().unwrap());
        assert_eq!(read(&path).await["id"], created["id"], "{path}");
    }
    let listed = async |path: &str| {
        let page = fixture.get(path).await.json();
        let rows = page["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{path}: {page}"));
        rows.contains(&created)
    };
    assert!(listed(&list).await, "{list}");
    if let Some(flat) = case.flat {
        let flat = fixture.entity(flat);
        assert!(listed(&flat).await, "{flat}");
        assert_eq!(read(&format!("{flat}/{id}")).await, created);
        for method in ["PUT", "DELETE"] {
            let answer = fixture.send(method, &format!("{flat}/{id}"), &body).await;
            assert_eq!(answer.status, 405, "{flat}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    if case.has_tags {
        assert!(listed(&format!("{list}?tags=one,two")).await, "{list}");
        assert!(listed(&format!("{list}?tags=one/none")).await, "{list}");
        assert!(!listed(&format!("{list}?tags=one,none")).await, "{list}");
    }
    replacing(fixture, case, (&by_id, &created, &body)).await;
    paging(fixture, case, &list).await;
    refusals(fixture, case, (&list, &by_id)).await;

    for _ in 0..2 {
        assert_eq!(fixture.delete(&by_id).await.status, 204, "{by_id}");
    }
    let gone = fixture.get(&by_id).await;
    assert_eq!(
        (gone.status, gone.json()),
        (404, json!({"message": "Not Found"}))
    );
}

async fn replacing(fixture: &Fixture, case: &Case, (by_id, created, body): (&str, &Value, &Value)) {
    // What was read, written back, changes nothing but the moment of change.
    let again = fixture.send("PUT", by_id, created).await;
    assert_eq!(again.status, 200, "{by_id}: {}", again.text());
    let times = ["updated_at"];
    assert_eq!(
        without(&again.json(), &times),
        without(created, &times),
        "{by_id}"
    );
    let changed = merged(body, &case.change);
    let put = fixture.send("PUT", by_id, &changed).await;
    assert_eq!(put.status, 200, "{by_id}: {}", put.text());
    for (name, value) in case.change.as_object().unwrap() {
        assert_eq!(put.json()[name], *value, "{by_id}");
    }
    assert_eq!(put.json()["created_at"], created["created_at"]);
}

/// Two more rows, read one at a time.
async fn paging(fixture: &Fixture, case: &Case, list: &str) {
    let Some(differs) = case.differs else { return };
    let base = case.body[differs].as_str().unwrap();
    let mut ids = Vec::new();
    for name in [base.replacen('a', "aa", 1) + "0", format!("{base}00")] {
        let mut body = merged(&case.body, &json!({differs: name}));
        if body.get("kid").is_some() {
            let jwk = json!({"kid": name, "kty": "RSA", "n": "AQAB", "e": "AQAB"}).to_string();
            body = merged(&body, &json!({"kid": name, "jwk": jwk}));
        }
        let created = fixture.create(list, body).await;
        ids.push(created["id"].as_str().unwrap().to_owned());
    }
    let whole = fixture.get(list).await.json();
    let whole: Vec<_> = whole["data"].as_array().unwrap().clone();
    let mut seen = Vec::new();
    let mut path = format!("{list}?size=1");
    loop {
        let page = fixture.get(&path).await.json();
        let rows = page["data"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{path}: {page}");
        seen.extend(rows.clone());
        let Some(offset) = page["offset"].as_str() else {
            assert_eq!(page["next"], Value::Null);
            break;
        };
        let next = page["next"].as_str().unwrap();
        assert!(next.contains(&format!("offset={offset}")), "{next}");
        path = fixture.entity(next.trim_start_matches('/'));
    }
    assert_eq!(seen, whole, "{list}");
    for id in ids {
        assert_eq!(fixture.delete(&format!("{list}/{id}")).await.status, 204);
    }
}

async fn refusals(fixture: &Fixture, case: &Case, (list, by_id): (&str, &str)) {
    let wrong = merged(&case.body, &case.wrong);
    for (method, path) in [("POST", list), ("PUT", by_id)] {
        let answer = fixture.send(method, path, &wrong).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!(3), &json!("validation error"))
        );
        assert!(!body["details"].as_array().unwrap().is_empty());
    }
    // Nothing about rows without tags has to be unique.
    if case.differs.is_some() && case.has_tags {
        let clash = fixture.send("POST", list, &case.body).await;
        assert_eq!(clash.status, 400, "{list}: {}", clash.text());
        assert_eq!(clash.json()["message"], "data constraint error", "{list}");
        assert_eq!(clash.json()["details"][0]["type"], "ERROR_TYPE_REFERENCE");
    }
    let form = fixture
        .raw("POST", list, "application/x-www-form-urlencoded", "a=b")
        .await;
    assert_eq!(form.status, 415, "{list}");
    let patch = fixture.send("PATCH", by_id, &case.body).await;
    assert_eq!(patch.status, 405, "{by_id}");
    for body in ["", "[]", "{", "nul", "\u{0}"] {
        let answer = fixture.raw("POST", list, "application/json", body).await;
        assert_eq!(answer.status, 400, "{list} {body:?}");
    }
    let path = |rest: &str| fixture.entity(&format!("schemas/{}{rest}", case.schema));
    let check = fixture.send("POST", &path("/validate"), &case.wrong).await;
    assert_eq!(check.status, 400, "{}: {}", case.schema, check.text());
    assert!(
        fixture.get(&path("")).await.json()["fields"].is_array(),
        "{}",
        case.schema
    );
}

#[tokio::test]
async fn every_kind_is_written_read_listed_replaced_and_deleted() {
    let fixture = Fixture::start().await;
    let parents = parents(&fixture).await;
    let before = clock::unix_seconds();
    for case in cases(&parents) {
        lifecycle(&fixture, &parents, &case).await;
    }
    let path = fixture.entity(&format!("services/{}", id(&parents, "service")));
    let at = fixture.get(&path).await.json()["created_at"]
        .as_u64()
        .unwrap();
    assert!(before.abs_diff(at) < 600, "seconds since 1970: {at}");
}

#[tokio::test]
async fn every_kind_that_is_served_has_its_scenario() {
    let fixture = Fixture::start().await;
    let parents = parents(&fixture).await;
    let covered: Vec<String> = cases(&parents)
        .iter()
        .map(|case| {
            let mut path = case.path.to_owned();
            for name in parents.as_object().unwrap().keys() {
                path = path.replace(&format!("{{{name}}}"), "{parent}");
            }
            path
        })
        .collect();
    let catalogue = fixture.geo.entities.catalogue();
    for operation in crate::api::geo_operations(catalogue) {
        let Some((_, path)) = operation.path.split_once("/core-entities/") else {
            continue;
        };
        // Filters need files on the nodes; members and descriptions have tests of their own.
        let is_elsewhere = path.contains("filter-chains")
            || path.starts_with("plugin-schemas")
            || path.starts_with("schemas/")
            || path == "consumer_groups/{parent}/consumers"
            || path == "consumers/{parent}/consumer_groups";
        if operation.method == "POST" && !is_elsewhere {
            assert!(
                covered.iter().any(|covered| covered == path),
                "{path} has no scenario"
            );
        }
    }
}

#[tokio::test]
async fn times_to_live_are_told_in_seconds_that_are_left() {
    let fixture = Fixture::start().await;
    fixture
        .create(&fixture.entity("consumers"), json!({"username": "ann"}))
        .await;
    let list = fixture.entity("consumers/ann/key-auth");

    let created = fixture.create(&list, json!({"key": "a", "ttl": 600})).await;
    let put = fixture
        .send("PUT", &format!("{list}/a"), &json!({"ttl": 500}))
        .await;
    let read = fixture.get(&format!("{list}/a")).await.json();

    for (body, most) in [(&created, 600), (&put.json(), 500), (&read, 500)] {
        let left = body["ttl"].as_u64().unwrap();
        assert!((most - 60..=most).contains(&left), "{body}");
    }
}
