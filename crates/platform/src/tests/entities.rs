//! Entities over HTTP: one handler, every kind.

use uuid::Uuid;

use super::*;

async fn service(fixture: &Fixture, name: &str) -> String {
    let body = json!({"name": name, "host": "orders.internal"});
    let created = fixture.create(&fixture.entity("services"), body).await;
    created["id"].as_str().unwrap().to_owned()
}

fn details(answer: &Answer) -> Vec<(String, String)> {
    let body = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let details = body["details"]
        .as_array()
        .unwrap_or_else(|| panic!("{body}"));
    details
        .iter()
        .map(|d| (text(&d["type"]), text(&d["field"])))
        .collect()
}

#[tokio::test]
async fn services_are_created_read_replaced_and_deleted() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("services");
    let created = fixture
        .create(&list, json!({"name": "orders", "url": "https://a.test/x"}))
        .await;
    let id = created["id"].as_str().unwrap();
    let (by_id, by_name) = (format!("{list}/{id}"), format!("{list}/orders"));

    assert_eq!(created["protocol"], "https");
    assert_eq!(created["port"], 443);
    assert_eq!(created["retries"], 5);
    assert!(created["created_at"].is_u64() && created["updated_at"].is_u64());
    assert_eq!(fixture.get(&by_id).await.json(), created);
    assert_eq!(fixture.get(&by_name).await.json(), created);
    let url = fixture.url("us.api", &by_name);
    let head = fixture
        .client()
        .send("HEAD", &url, &[], Bytes::new())
        .await
        .unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    let put = fixture
        .send("PUT", &by_name, &json!({"host": "b.test", "retries": 1}))
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let put = put.json();
    assert_eq!(
        (&put["id"], &put["name"]),
        (&created["id"], &created["name"])
    );
    assert_eq!(
        (put["host"].as_str(), put["retries"].as_u64()),
        (Some("b.test"), Some(1))
    );
    assert_eq!(
        put["protocol"], "http",
        "what is not said returns to its default"
    );
    assert_eq!(put["created_at"], created["created_at"]);
    assert_eq!(
        fixture
            .send("PATCH", &by_id, &json!({"port": 1}))
            .await
            .status,
        405
    );
    assert_eq!(fixture.delete(&by_name).await.status, 204);
    assert_eq!(
        fixture.get(&by_id).await.json(),
        json!({"message": "Not Found"})
    );
    assert_eq!(
        fixture.delete(&by_id).await.status,
        204,
        "deleting twice is no fault"
    );
}

#[tokio::test]
async fn put_makes_what_is_missing_with_the_id_or_name_of_the_path() {
    let fixture = Fixture::start().await;
    let id = Uuid::new_v4();
    let path = fixture.entity(&format!("services/{id}"));

    let by_id = fixture.send("PUT", &path, &json!({"host": "a.test"})).await;
    let path = fixture.entity("services/named");
    let by_name = fixture.send("PUT", &path, &json!({"host": "b.test"})).await;
    let mine = Uuid::new_v4();
    let body = json!({"id": mine, "name": "own", "host": "c.test", "created_at": 1_700_000_000});
    let posted = fixture.create(&fixture.entity("services"), body).await;

    assert_eq!((by_id.status, by_id.json()["id"].clone()), (200, json!(id)));
    assert_eq!(
        (by_name.status, by_name.json()["name"].clone()),
        (200, json!("named"))
    );
    assert_eq!(posted["id"], json!(mine));
    assert_eq!(posted["created_at"], 1_700_000_000);
}

#[tokio::test]
async fn violations_have_the_form_of_this_api() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("services");

    let bad = fixture
        .send(
            "POST",
            &list,
            &json!({"name": "a b", "port": 70000, "x": 1}),
        )
        .await;
    assert_eq!(bad.status, 400);
    let body = bad.json();
    assert_eq!(keys(&body), ["code", "message", "details"]);
    assert_eq!(
        (body["code"].as_u64(), body["message"].as_str()),
        (Some(3), Some("validation error"))
    );
    let mut found = details(&bad);
    found.sort();
    let field = "ERROR_TYPE_FIELD";
    let expected = pairs(&[
        (field, "host"),
        (field, "name"),
        (field, "port"),
        (field, "x"),
    ]);
    assert_eq!(found, expected, "{body}");
    let consumer = fixture
        .send("POST", &fixture.entity("consumers"), &json!({}))
        .await;
    assert_eq!(details(&consumer), pairs(&[("ERROR_TYPE_ENTITY", "")]));
    let plugin = json!({"name": "rate-limiting", "config": {"minute": -1}});
    let plugin = fixture
        .send("POST", &fixture.entity("plugins"), &plugin)
        .await;
    assert!(
        details(&plugin).contains(&(field.to_owned(), "config.minute".to_owned())),
        "{}",
        plugin.text()
    );
    let unknown = fixture
        .send("POST", &fixture.entity("plugins"), &json!({"name": "nope"}))
        .await;
    assert_eq!(details(&unknown), pairs(&[(field, "name")]));
}

#[tokio::test]
async fn clashes_and_dangling_references_are_data_constraint_errors() {
    let fixture = Fixture::start().await;
    let id = service(&fixture, "orders").await;
    let list = fixture.entity("services");
    let reference = "ERROR_TYPE_REFERENCE";

    let again = fixture
        .send("POST", &list, &json!({"name": "orders", "host": "b"}))
        .await;
    let same_id = fixture
        .send("POST", &list, &json!({"id": id, "host": "b"}))
        .await;
    let route = json!({"paths": ["/"], "service": {"id": Uuid::new_v4()}});
    let dangling = fixture
        .send("POST", &fixture.entity("routes"), &route)
        .await;
    let route = json!({"paths": ["/"], "service": {"name": "nobody"}});
    let unresolved = fixture
        .send("POST", &fixture.entity("routes"), &route)
        .await;
    let route = json!({"name": "r", "paths": ["/"], "service": {"name": "orders"}});
    let route = fixture.create(&fixture.entity("routes"), route).await;
    let referenced = fixture.delete(&format!("{list}/orders")).await;

    for (answer, field) in [
        (&again, "name"),
        (&same_id, "id"),
        (&dangling, "service"),
        (&unresolved, "service"),
        (&referenced, ""),
    ] {
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.json()["message"], "data constraint error");
        assert_eq!(
            details(answer),
            pairs(&[(reference, field)]),
            "{}",
            answer.text()
        );
    }
    let plugin = json!({"name": "key-auth", "service": {"name": "orders"}});
    fixture
        .create(&fixture.entity("plugins"), plugin.clone())
        .await;
    let again = fixture
        .send("POST", &fixture.entity("plugins"), &plugin)
        .await;
    assert_eq!(
        details(&again),
        pairs(&[(reference, "name")]),
        "{}",
        again.text()
    );
    assert!(
        again.text().contains(&id),
        "the scope is named: {}",
        again.text()
    );
    assert_eq!(
        route["service"],
        json!({"id": id}),
        "a name was resolved to its id"
    );
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_refused() {
    let fixture = Fixture::start().await;
    let list = fixture.entity("services");
    for (kind, body, status) in [
        ("application/x-www-form-urlencoded", "name=a&host=b", 415),
        ("text/plain", "{}", 415),
        ("application/json", "{", 400),
        ("application/json", "[1]", 400),
        ("application/json", "", 400),
        ("application/json; charset=utf-8", "{\"host\":\"a\"}", 201),
    ] {
        let answer = fixture.raw("POST", &list, kind, body).await;
        assert_eq!(answer.status, status, "{kind} {body}: {}", answer.text());
        assert!(answer.status == 201 || answer.json()["message"].is_string());
    }
}

#[tokio::test]
async fn lists_are_paged_by_offset_and_filtered() {
    let fixture = Fixture::start().await;
    for (name, tags) in [
        ("a-1", json!(["x"])),
        ("a-2", json!(["x", "y"])),
        ("b-1", json!(["y"])),
    ] {
        let body = json!({"name": name, "host": "h", "tags": tags});
        fixture.create(&fixture.entity("services"), body).await;
    }
    let names = async |query: &str| {
        let answer = fixture
            .get(&fixture.entity(&format!("services?{query}")))
            .await;
        let body = answer.json();
        let rows = body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {body}"));
        let mut names: Vec<_> = rows
            .iter()
            .map(|r| r["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };

    assert_eq!(names("").await, ["a-1", "a-2", "b-1"]);
    assert_eq!(names("tags=x").await, ["a-1", "a-2"]);
    assert_eq!(names("tags=x,y").await, ["a-2"]);
    assert_eq!(names("tags=x/y").await, ["a-1", "a-2", "b-1"]);
    assert_eq!(names("filter[name][eq]=a-1").await, ["a-1"]);
    assert_eq!(names("filter[name][contains]=a-").await, ["a-1", "a-2"]);
    for query in ["size=2", "size=1&filter[name][contains]=-"] {
        let mut seen = Vec::new();
        let mut path = fixture.entity(&format!("services?{query}"));
        loop {
            let page = fixture.get(&path).await.json();
            seen.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["id"].clone()),
            );
            let Some(next) = page["next"].as_str() else {
                assert_eq!(keys(&page), ["data", "next"], "the last page has no offset");
                break;
            };
            assert!(next.ends_with(page["offset"].as_str().unwrap()));
            path = fixture.entity(next.trim_start_matches('/'));
        }
        assert_eq!(seen.len(), 3, "{query}");
    }
    for query in [
        "size=0",
        "size=1001",
        "size=x",
        "offset=x",
        "tags=a,b/c",
        "tags=,",
        "filter[x]=1",
    ] {
        let answer = fixture
            .get(&fixture.entity(&format!("services?{query}")))
            .await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["message"], "validation error", "{query}");
    }
    let empty = fixture.get(&fixture.entity("routes")).await.json();
    assert_eq!(empty, json!({"data": [], "next": null}));
}

#[tokio::test]
async fn nested_entities_belong_to_their_parent() {
    let fixture = Fixture::start().await;
    let (one, two) = (
        service(&fixture, "one").await,
        service(&fixture, "two").await,
    );
    let routes = fixture.entity("services/one/routes");
    let route = fixture
        .create(&routes, json!({"name": "r", "paths": ["/r"]}))
        .await;

    assert_eq!(route["service"], json!({"id": one}));
    assert_eq!(fixture.get(&format!("{routes}/r")).await.json(), route);
    let elsewhere = fixture.entity(&format!("services/{two}/routes"));
    assert_eq!(fixture.get(&elsewhere).await.json()["data"], json!([]));
    assert_eq!(fixture.get(&format!("{elsewhere}/r")).await.status, 404);
    assert_eq!(
        fixture
            .get(&fixture.entity("services/none/routes"))
            .await
            .status,
        404
    );
    let put = fixture
        .send("PUT", &format!("{routes}/r"), &json!({"paths": ["/s"]}))
        .await;
    assert_eq!(put.json()["id"], route["id"]);
    for parent in ["services/one", "routes/r"] {
        let path = fixture.entity(&format!("{parent}/plugins"));
        let body = json!({"name": "correlation-id"});
        let plugin = fixture.create(&path, body).await;
        let list = fixture.get(&path).await.json();
        assert_eq!(list["data"], json!([plugin]));
    }
    assert_eq!(
        fixture.get(&fixture.entity("plugins")).await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn targets_and_credentials_are_written_below_their_parents() {
    let fixture = Fixture::start().await;
    fixture
        .create(&fixture.entity("upstreams"), json!({"name": "u"}))
        .await;
    let targets = fixture.entity("upstreams/u/targets");
    let target = fixture
        .create(&targets, json!({"target": "127.0.0.1:9000"}))
        .await;
    fixture
        .create(&fixture.entity("consumers"), json!({"username": "ann"}))
        .await;
    let keys_path = fixture.entity("consumers/ann/key-auth");
    let given = fixture.create(&keys_path, json!({"key": "secret-1"})).await;
    let made = fixture.create(&keys_path, json!({})).await;

    assert_eq!(
        fixture.get(&fixture.entity("targets")).await.json()["data"],
        json!([target])
    );
    assert_eq!(
        fixture
            .get(&format!("{targets}/127.0.0.1:9000"))
            .await
            .json(),
        target
    );
    assert_eq!(
        fixture.get(&format!("{keys_path}/secret-1")).await.json()["id"],
        given["id"]
    );
    assert_eq!(made["key"].as_str().unwrap().len(), 32);
    let flat = fixture.entity("key-auths");
    assert_eq!(
        fixture.get(&flat).await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        fixture.get(&format!("{flat}/{id}")).await.json()["key"],
        made["key"]
    );
    for (method, path) in [("POST", &flat), ("POST", &fixture.entity("targets"))] {
        assert_eq!(
            fixture.send(method, path, &json!({})).await.status,
            405,
            "{path}"
        );
    }
    assert_eq!(
        fixture
            .delete(&format!("{targets}/127.0.0.1:9000"))
            .await
            .status,
        204
    );
    assert_eq!(fixture.get(&targets).await.json()["data"], json!([]));
    assert_eq!(
        fixture
            .delete(&fixture.entity("consumers/ann"))
            .await
            .status,
        204
    );
    assert_eq!(
        fixture.get(&flat).await.json()["data"],
        json!([]),
        "they went with the consumer"
    );
}

#[tokio::test]
async fn certificates_and_their_names_are_kept() {
    let fixture = Fixture::start().await;
    let authority = test_support::TestAuthority::new("ca");
    let pair = authority.server(&["a.test"]);
    let body = json!({"cert": pair.certificate, "key": pair.key});
    let certificate = fixture.create(&fixture.entity("certificates"), body).await;
    let id = certificate["id"].as_str().unwrap();
    let snis = fixture.entity(&format!("certificates/{id}/snis"));
    let sni = fixture.create(&snis, json!({"name": "a.test"})).await;
    let ca = json!({"cert": authority.pem()});
    let ca = fixture.create(&fixture.entity("ca_certificates"), ca).await;

    assert_eq!(
        certificate["key"],
        json!(pair.key),
        "what was written is read back"
    );
    assert_eq!(sni["certificate"], json!({"id": id}));
    assert_eq!(
        fixture.get(&fixture.entity("snis/a.test")).await.json(),
        sni
    );
    assert_eq!(ca["cert_digest"].as_str().unwrap().len(), 64);
    assert_eq!(
        fixture
            .delete(&fixture.entity(&format!("certificates/{id}")))
            .await
            .status,
        204
    );
    assert_eq!(
        fixture.get(&fixture.entity("snis/a.test")).await.status,
        404
    );
}

#[tokio::test]
async fn descriptions_and_checks_are_given_to_deck() {
    let fixture = Fixture::start().await;
    let get = async |path: &str| fixture.get(&fixture.entity(path)).await;

    for entity in [
        "service",
        "route",
        "upstream",
        "target",
        "consumer",
        "sni",
        "key-auth",
        "jwt",
        "vault",
        "key",
        "key-set",
        "hmac-auth",
        "basic-auth",
        "certificate",
        "ca_certificate",
    ] {
        let schema = get(&format!("v1/schemas/json/{entity}")).await;
        assert_eq!(schema.status, 200, "{entity}");
        assert!(
            schema.json()["properties"].is_object(),
            "{entity}: {}",
            schema.text()
        );
    }
    let service = get("v1/schemas/json/service").await.json();
    assert_eq!(service["properties"]["port"]["default"], 80);
    let plugin = get("schemas/plugins/rate-limiting").await.json();
    let fields = plugin["fields"].as_array().unwrap();
    let config = fields.iter().find_map(|field| field.get("config")).unwrap();
    assert!(
        config["fields"]
            .as_array()
            .is_some_and(|list| !list.is_empty()),
        "{plugin}"
    );
    assert!(get("schemas/services").await.json()["fields"].is_array());
    for path in [
        "schemas/plugins/nope",
        "v1/schemas/json/nothing",
        "schemas/partials/nothing",
    ] {
        assert_eq!(
            get(path).await.json(),
            json!({"message": "Not Found"}),
            "{path}"
        );
    }
    let check = async |entity: &str, body: Value| {
        let path = fixture.entity(&format!("schemas/{entity}/validate"));
        fixture.send("POST", &path, &body).await
    };
    assert_eq!(check("services", json!({"host": "a"})).await.status, 200);
    assert_eq!(check("services", json!({"port": "a"})).await.status, 400);
    assert_eq!(
        check("plugins", json!({"name": "key-auth"})).await.status,
        200
    );
    assert_eq!(
        get("services").await.json()["data"],
        json!([]),
        "checking writes nothing"
    );
}

#[tokio::test]
async fn optional_lists_of_deck_are_cleanly_missing() {
    let fixture = Fixture::start().await;
    for path in [
        "cloned-plugins",
        "konnect_applications",
        "oauth2",
        "workspaces",
        "workspaces/default",
        "licenses",
    ] {
        let answer = fixture
            .get(&fixture.entity(&format!("{path}?size=1000")))
            .await;
        assert_eq!(
            (answer.status, answer.json()),
            (404, json!({"message": "Not Found"})),
            "{path}"
        );
    }
}
