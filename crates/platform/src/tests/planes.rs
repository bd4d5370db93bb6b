//! Control planes over HTTP.

use super::*;

const PLANES: &str = "/v2/control-planes";

fn names(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let rows = body["data"].as_array().unwrap_or_else(|| panic!("{body}"));
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_control_plane_has_exactly_the_documented_members() {
    let fixture = Fixture::start().await;
    let created = fixture.create(PLANES, json!({"name": "payments"})).await;
    let id = created["id"].as_str().unwrap();

    let got = fixture.get(&format!("{PLANES}/{id}")).await.json();

    assert_eq!(got, created);
    let expected = [
        "config",
        "created_at",
        "description",
        "id",
        "labels",
        "name",
        "updated_at",
    ];
    assert_eq!(keys(&got), expected);
    assert_eq!(
        keys(&got["config"]),
        [
            "auth_type",
            "cloud_gateway",
            "cluster_type",
            "control_plane_endpoint",
            "proxy_urls",
            "telemetry_endpoint"
        ]
    );
    assert_eq!(got["description"], "");
    assert_eq!(got["labels"], json!({}));
    assert_eq!(got["config"]["auth_type"], "pinned_client_certs");
    assert_eq!(got["config"]["cloud_gateway"], false);
    assert_eq!(got["config"]["cluster_type"], "CLUSTER_TYPE_CONTROL_PLANE");
    assert_eq!(got["config"]["proxy_urls"], json!([]));
    let endpoint = got["config"]["control_plane_endpoint"].as_str().unwrap();
    let prefix = endpoint["https://".len()..].split('.').next().unwrap();
    assert_eq!(prefix.len(), 10);
    assert!(prefix.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    let url = |channel: &str| {
        format!(
            "https://{prefix}.us.{channel}.konghq.localhost:{}",
            fixture.port
        )
    };
    assert_eq!(endpoint, url("cp0"));
    assert_eq!(got["config"]["telemetry_endpoint"], url("tp0"));
    let created_at = got["created_at"].as_str().unwrap();
    assert!(clock::parse_rfc3339_millis(created_at).is_some() && created_at.len() == 24);
}

#[tokio::test]
async fn ingress_control_planes_have_no_proxy_urls_and_are_read_only() {
    let fixture = Fixture::start().await;
    let body = json!({"name": "kic", "cluster_type": "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"});
    let created = fixture.create(PLANES, body).await;

    assert!(!keys(&created["config"]).contains(&"proxy_urls"));
    let path = format!(
        "{PLANES}/{}/core-entities/services",
        created["id"].as_str().unwrap()
    );
    let answer = fixture
        .send("POST", &path, &json!({"name": "a", "host": "b"}))
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[tokio::test]
async fn forms_and_older_type_names_are_taken() {
    let fixture = Fixture::start().await;
    let form = "application/x-www-form-urlencoded";
    let text = "name=my+group&cluster_type=CLUSTER_TYPE_COMPOSITE&labels[env]=test&labels.a=b";
    let group = fixture.raw("POST", "/v2/control-planes/", form, text).await;
    let hybrid = json!({"name": "older", "cluster_type": "CLUSTER_TYPE_HYBRID"});
    let hybrid = fixture.create(PLANES, hybrid).await;

    assert_eq!(group.status, 201, "{}", group.text());
    let group = group.json();
    assert_eq!(group["name"], "my group");
    assert_eq!(group["labels"], json!({"a": "b", "env": "test"}));
    assert_eq!(
        group["config"]["cluster_type"],
        "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
    );
    assert_eq!(
        hybrid["config"]["cluster_type"],
        "CLUSTER_TYPE_CONTROL_PLANE"
    );
}

#[tokio::test]
async fn every_fault_of_a_body_is_named() {
    let fixture = Fixture::start().await;
    let body = json!({
        "name": "x",
        "description": 7,
        "cluster_type": "OTHER",
        "auth_type": "none",
        "cloud_gateway": "yes",
        "proxy_urls": {},
        "labels": {"env": 1},
        "colour": "red",
    });
    let answer = fixture.send("POST", PLANES, &body).await;

    assert_problem(&answer, 400, "Bad Request");
    let mut found = rules(&answer);
    found.sort();
    assert_eq!(
        found,
        pairs(&[
            ("auth_type", "enum"),
            ("cloud_gateway", "is_boolean"),
            ("cluster_type", "enum"),
            ("colour", "unknown_property"),
            ("description", "is_string"),
            ("labels.env", "is_string"),
            ("name", "min_length"),
            ("proxy_urls", "is_array"),
        ])
    );
    let body = json!({"name": "x", "labels": {"kong-x": "a"}});
    let answer = fixture.send("POST", PLANES, &body).await;
    let expected = pairs(&[("name", "min_length"), ("labels.kong-x", "is_label")]);
    assert_eq!(rules(&answer), expected);
    assert_eq!(answer.json()["invalid_parameters"][0]["minimum"], 2);
    assert_eq!(answer.json()["invalid_parameters"][0]["source"], "body");
    let answer = fixture.send("POST", PLANES, &json!({})).await;
    assert_eq!(rules(&answer), pairs(&[("name", "required")]));
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "", 400),
        ("text/plain", "{}", 415),
    ] {
        let answer = fixture.raw("POST", PLANES, kind, body).await;
        assert_eq!(answer.status, status, "{kind} {body}");
    }
}

#[tokio::test]
async fn names_are_unique_in_an_organisation() {
    let fixture = Fixture::start().await;
    fixture.foreign_plane().await;
    let mine = fixture.create(PLANES, json!({"name": "theirs"})).await;

    let again = fixture
        .send("POST", PLANES, &json!({"name": "theirs"}))
        .await;
    let path = format!("{PLANES}/{}", mine["id"].as_str().unwrap());
    let renamed = fixture
        .send("PATCH", &path, &json!({"name": "default"}))
        .await;
    let same = fixture
        .send("PATCH", &path, &json!({"name": "theirs"}))
        .await;

    assert_problem(&again, 409, "Conflict");
    assert_problem(&renamed, 409, "Conflict");
    assert_eq!(same.status, 200);
}

#[tokio::test]
async fn patch_changes_what_it_names_and_refuses_what_is_fixed() {
    let fixture = Fixture::start().await;
    let body = json!({"name": "one", "labels": {"a": "b"}, "description": "first"});
    let created = fixture.create(PLANES, body).await;
    let path = format!("{PLANES}/{}", created["id"].as_str().unwrap());
    let urls = json!([{"host": "proxy.example.org", "port": 443, "protocol": "https"}]);
    let patch = json!({
        "auth_type": "pki_client_certs", "labels": {"c": "d"}, "proxy_urls": urls,
    });

    let patched = fixture.send("PATCH", &path, &patch).await;
    let fixed = fixture
        .send("PATCH", &path, &json!({"cluster_type": "x"}))
        .await;
    let cloud = fixture
        .send("PATCH", &path, &json!({"cloud_gateway": true}))
        .await;

    assert_eq!(patched.status, 200, "{}", patched.text());
    let patched = patched.json();
    assert_eq!(patched["description"], "first");
    assert_eq!(patched["labels"], json!({"c": "d"}));
    assert_eq!(patched["config"]["auth_type"], "pki_client_certs");
    assert_eq!(patched["config"]["proxy_urls"], urls);
    assert_eq!(patched["created_at"], created["created_at"]);
    assert_eq!(
        rules(&fixed),
        pairs(&[("cluster_type", "unknown_property")])
    );
    assert_eq!(
        rules(&cloud),
        pairs(&[("cloud_gateway", "unknown_property")])
    );
}

#[tokio::test]
async fn deleting_removes_everything_but_never_the_default() {
    let fixture = Fixture::start().await;
    let created = fixture.create(PLANES, json!({"name": "one"})).await;
    let id = created["id"].as_str().unwrap();
    let path = format!("{PLANES}/{id}");
    let services = format!("{path}/core-entities/services");
    fixture
        .create(&services, json!({"name": "a", "host": "b"}))
        .await;

    let deleted = fixture.delete(&path).await;
    let default = fixture.delete(&fixture.plane("")).await;

    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_problem(&fixture.get(&path).await, 404, "Not Found");
    assert_eq!(fixture.get(&services).await.status, 404);
    let plane = uuid::Uuid::try_parse(id).unwrap();
    assert_eq!(
        fixture
            .geo
            .entities
            .store()
            .unwrap()
            .count(plane, "services")
            .await
            .unwrap(),
        0
    );
    assert_problem(&default, 400, "Bad Request");
    assert_eq!(fixture.get(&fixture.plane("")).await.status, 200);
    assert_problem(&fixture.delete(&path).await, 404, "Not Found");
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let fixture = Fixture::start().await;
    for (name, team, kind) in [
        ("a-one", "red", "CLUSTER_TYPE_CONTROL_PLANE"),
        ("a-two", "blue", "CLUSTER_TYPE_CONTROL_PLANE_GROUP"),
        ("b-one", "red", "CLUSTER_TYPE_SERVERLESS"),
    ] {
        let body = json!({"name": name, "labels": {"team": team}, "cluster_type": kind});
        fixture.create(PLANES, body).await;
    }
    for (query, expected) in [
        ("", &["default", "a-one", "a-two", "b-one"][..]),
        ("filter[name]=a-one", &["a-one"]),
        ("filter[name][eq]=a-one", &["a-one"]),
        ("filter%5Bname%5D%5Beq%5D=a-one", &["a-one"]),
        (
            "filter[name][neq]=default&sort=name",
            &["a-one", "a-two", "b-one"],
        ),
        (
            "filter[name][contains]=one&sort=name desc",
            &["b-one", "a-one"],
        ),
        ("filter[name][oeq]=a-one,default", &["default", "a-one"]),
        (
            "filter[cluster_type][eq]=CLUSTER_TYPE_COMPOSITE",
            &["a-two"],
        ),
        (
            "filter[cluster_type][oeq]=CLUSTER_TYPE_SERVERLESS,CLUSTER_TYPE_CONTROL_PLANE_GROUP",
            &["a-two", "b-one"],
        ),
        (
            "filter[cluster_type][neq]=CLUSTER_TYPE_CONTROL_PLANE",
            &["a-two", "b-one"],
        ),
        ("filter[cloud_gateway]=true", &[]),
        ("labels=team:red", &["a-one", "b-one"]),
        ("labels=team", &["a-one", "a-two", "b-one"]),
        ("labels=team:red,env", &[]),
        ("filter[labels.team][eq]=blue", &["a-two"]),
        (
            "sort=created_at desc",
            &["b-one", "a-two", "a-one", "default"],
        ),
        ("page[size]=3", &["default", "a-one", "a-two"]),
        ("page[size]=3&page[number]=2", &["b-one"]),
        ("page[number]=9", &[]),
    ] {
        let query = query.replace(' ', "%20");
        for slash in ["", "/"] {
            let answer = fixture.get(&format!("{PLANES}{slash}?{query}")).await;
            assert_eq!(names(&answer), expected, "{query}");
        }
    }
    let page = fixture
        .get(&format!("{PLANES}?page[size]=3&page[number]=2"))
        .await
        .json();
    assert_eq!(
        page["meta"],
        json!({"page": {"number": 2, "size": 3, "total": 4}})
    );
    let empty = fixture
        .get(&format!("{PLANES}?filter[name]=none"))
        .await
        .json();
    assert_eq!(empty["data"], json!([]));
}

#[tokio::test]
async fn unknown_filters_and_bad_pages_are_refused() {
    let fixture = Fixture::start().await;
    for (query, rule) in [
        ("filter[colour][eq]=red", "invalid"),
        ("filter[name][gt]=a", "invalid"),
        ("filter[cluster_type][contains]=X", "invalid"),
        ("filter[cluster_type][eq]=X", "enum"),
        ("filter[cloud_gateway]=maybe", "is_boolean"),
        ("filter=x", "invalid"),
        ("page[size]=0", "min"),
        ("page[size]=100000", "max"),
        ("page[size]=x", "is_integer"),
        ("page[number]=0", "min"),
        ("sort=colour", "invalid"),
        ("sort=name%20up", "invalid"),
        ("labels=:x", "is_label"),
    ] {
        let answer = fixture.get(&format!("{PLANES}?{query}")).await;
        assert_problem(&answer, 400, "Bad Request");
        assert_eq!(rules(&answer)[0].1, rule, "{query}");
        assert_eq!(answer.json()["invalid_parameters"][0]["source"], "query");
    }
}

#[tokio::test]
async fn problems_of_callers_and_ids_have_their_form() {
    let fixture = Fixture::start().await;
    let url = fixture.url("us.api", PLANES);

    let without = fixture.stranger().get(&url).await.unwrap();
    let wrong = fixture
        .stranger()
        .bearer("kpat_wrong")
        .get(&url)
        .await
        .unwrap();
    let unknown = fixture
        .get(&format!("{PLANES}/{}", uuid::Uuid::new_v4()))
        .await;
    let malformed = fixture.get(&format!("{PLANES}/mine")).await;
    let put = fixture.send("PUT", PLANES, &json!({})).await;
    let me = fixture.url("global.api", "/v2/organizations/me");
    let me = fixture.stranger().get(&me).await.unwrap();

    assert_problem(&without, 401, "Unauthenticated");
    assert_problem(&wrong, 401, "Unauthenticated");
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    assert_problem(&unknown, 404, "Not Found");
    assert_problem(&malformed, 400, "Bad Request");
    assert_eq!(rules(&malformed), pairs(&[("id", "is_uuid")]));
    assert_problem(&put, 405, "Method Not Allowed");
    assert_problem(&me, 401, "Unauthorized");
}

#[tokio::test]
async fn deck_finds_control_planes_in_the_older_list() {
    let fixture = Fixture::start().await;
    fixture.create(PLANES, json!({"name": "one"})).await;
    let older = "/konnect-api/api/runtime_groups";

    let all = fixture.get(older).await.json();
    let second = fixture.get(&format!("{older}?page=2&size=1")).await.json();
    let beyond = fixture
        .get(&format!("{older}?page=2&size=100"))
        .await
        .json();

    assert_eq!(
        (all["page"].as_u64(), all["pageCount"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    assert_eq!(keys(&all["data"][0]), ["id", "name"]);
    assert_eq!(second["data"][0]["name"], "one");
    assert_eq!(second["pageCount"], 2);
    assert_eq!(beyond["data"], json!([]));
}

#[tokio::test]
async fn callers_learn_who_they_are() {
    let fixture = Fixture::start().await;
    let get = async |path: &str| {
        fixture
            .client()
            .get(&fixture.url("global.api", path))
            .await
            .unwrap()
            .json()
    };

    let organisation = get("/v3/organizations/me").await;
    let user = get("/v2/users/me").await;
    let url = fixture.url("global.api", "/v3/available-regions");
    let regions = fixture.stranger().get(&url).await.unwrap().json();

    assert_eq!(organisation["name"], "Example");
    assert_eq!(organisation["state"], "active");
    assert_eq!(organisation["owner_id"], user["id"]);
    assert_eq!(user["email"], "admin@example.org");
    let expected = json!({"regions": {"stable": ["us", "eu"], "stable_opt_in": [], "beta": []}});
    assert_eq!(regions, expected);
}
