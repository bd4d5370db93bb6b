//! The Control Planes API as its clients see it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use test_support::{Client, Quickstart};

fn url(quickstart: &Quickstart, path: &str) -> String {
    format!("{}/v2/control-planes{path}", quickstart.fact("geo_api_url"))
}

fn members(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn get_answers_with_exactly_the_documented_members() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();
    let body = json!({"name": "payments", "labels": {"env": "test"}});

    let created = client
        .json("POST", &url(&quickstart, ""), &body)
        .await
        .unwrap();
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let got = client
        .get(&url(&quickstart, &format!("/{id}")))
        .await
        .unwrap();

    assert_eq!((created.status, got.status), (201, 200));
    assert_eq!(created.json(), got.json());
    let object = got.json();
    let expected = [
        "config",
        "created_at",
        "description",
        "id",
        "labels",
        "name",
        "updated_at",
    ];
    assert_eq!(members(&object), expected.into_iter().collect());
    let expected = [
        "auth_type",
        "cloud_gateway",
        "cluster_type",
        "control_plane_endpoint",
        "proxy_urls",
        "telemetry_endpoint",
    ];
    assert_eq!(members(&object["config"]), expected.into_iter().collect());
    assert_eq!(object["config"]["auth_type"], "pinned_client_certs");
    assert_eq!(
        object["config"]["cluster_type"],
        "CLUSTER_TYPE_CONTROL_PLANE"
    );
    assert_eq!(object["labels"], json!({"env": "test"}));
    let endpoint = object["config"]["control_plane_endpoint"].as_str().unwrap();
    let port = quickstart.flag("--platform-port");
    let prefix = endpoint
        .trim_start_matches("https://")
        .split('.')
        .next()
        .unwrap();
    assert_eq!(
        endpoint,
        format!("https://{prefix}.us.cp0.konghq.localhost:{port}")
    );
    assert!(prefix.len() == 10 && prefix.chars().all(|c| c.is_ascii_hexdigit()));
    let telemetry = object["config"]["telemetry_endpoint"].as_str().unwrap();
    assert_eq!(telemetry, endpoint.replace(".cp0.", ".tp0."));
}

#[tokio::test]
async fn ingress_controller_has_no_proxy_urls() {
    let quickstart = Quickstart::empty().await;
    let body = json!({"name": "cluster-a", "cluster_type": "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"});

    let created = quickstart
        .client()
        .json("POST", &url(&quickstart, ""), &body)
        .await
        .unwrap();

    assert_eq!(created.status, 201, "{}", created.text());
    assert!(!members(&created.json()["config"]).contains("proxy_urls"));
}

#[tokio::test]
async fn list_pages_filters_and_finds_by_label() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();
    for (name, team) in [("a-one", "red"), ("a-two", "blue"), ("b-one", "red")] {
        let body = json!({"name": name, "labels": {"team": team}});
        assert_eq!(
            client
                .json("POST", &url(&quickstart, ""), &body)
                .await
                .unwrap()
                .status,
            201
        );
    }
    let names = async |query: &str| {
        let answer = client.get(&url(&quickstart, query)).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let body = answer.json();
        let names = body["data"].as_array().unwrap().iter();
        let names = names
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>();
        (names, body["meta"]["page"].clone())
    };

    assert_eq!(names("?filter[name][eq]=a-one").await.0, ["a-one"]);
    assert_eq!(
        names("?filter%5Bname%5D%5Bcontains%5D=one&sort=name")
            .await
            .0,
        ["a-one", "b-one"]
    );
    assert_eq!(names("?labels=team:blue").await.0, ["a-two"]);
    assert_eq!(names("/?filter[name][eq]=default").await.0, ["default"]);
    let (first, page) = names("?page[size]=3&page[number]=1&sort=name").await;
    assert_eq!(first, ["a-one", "a-two", "b-one"]);
    assert_eq!(page, json!({"number": 1, "size": 3, "total": 4}));
    assert_eq!(
        names("?page[size]=3&page[number]=2&sort=name").await.0,
        ["default"]
    );
    let wrong = client
        .get(&url(&quickstart, "?filter[colour][eq]=red"))
        .await
        .unwrap();
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["invalid_parameters"][0]["source"], "query");
}

#[tokio::test]
async fn wrong_token_unknown_id_and_bad_body_are_problems() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();
    let stranger = Client::new().trusting(&quickstart.ca());

    for client in [stranger.clone(), stranger.bearer("kpat_wrong")] {
        let answer = client.get(&url(&quickstart, "")).await.unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.json()["title"], "Unauthenticated");
    }
    let unknown = url(&quickstart, "/00000000-0000-4000-8000-000000000000");
    let answer = client.get(&unknown).await.unwrap();
    assert_eq!(
        (answer.status, answer.json()["title"].as_str()),
        (404, Some("Not Found"))
    );
    let bad = client
        .json(
            "POST",
            &url(&quickstart, ""),
            &json!({"name": "x", "colour": 1}),
        )
        .await;
    let bad = bad.unwrap();
    assert_eq!(bad.status, 400);
    let fields: Vec<_> = bad.json()["invalid_parameters"].as_array().unwrap().clone();
    assert!(
        fields.iter().any(|field| field["field"] == "name"),
        "{fields:?}"
    );
    let again = client
        .json("POST", &url(&quickstart, ""), &json!({"name": "default"}))
        .await;
    assert_eq!(again.unwrap().status, 409);
}

#[tokio::test]
async fn patch_changes_and_delete_removes_but_not_the_default() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();
    let created = client
        .json("POST", &url(&quickstart, ""), &json!({"name": "mine"}))
        .await
        .unwrap();
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let one = url(&quickstart, &format!("/{id}"));

    let patched = client
        .json("PATCH", &one, &json!({"description": "ours"}))
        .await
        .unwrap();
    let refused = client
        .json("PATCH", &one, &json!({"cluster_type": "x"}))
        .await
        .unwrap();
    let empty = bytes::Bytes::new();
    let deleted = client
        .send("DELETE", &one, &[], empty.clone())
        .await
        .unwrap();
    let default = client
        .send("DELETE", &quickstart.plane_url(), &[], empty)
        .await
        .unwrap();

    assert_eq!(
        (patched.status, patched.json()["description"].as_str()),
        (200, Some("ours"))
    );
    assert_eq!(refused.status, 400);
    assert_eq!(deleted.status, 204);
    assert_eq!(client.get(&one).await.unwrap().status, 404);
    assert!((400..500).contains(&default.status), "{}", default.status);
}

#[tokio::test]
async fn groups_know_their_members_and_report_conflicts() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();
    let create = async |body: Value| {
        let answer = client
            .json("POST", &url(&quickstart, ""), &body)
            .await
            .unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (
        create(json!({"name": "one"})).await,
        create(json!({"name": "two"})).await,
    );
    let group = json!({"name": "all", "cluster_type": "CLUSTER_TYPE_CONTROL_PLANE_GROUP"});
    let group = create(group).await;
    let memberships = url(&quickstart, &format!("/{group}/group-memberships"));

    let put = json!({"members": [{"id": one}, {"id": two}]});
    assert_eq!(
        client.json("PUT", &memberships, &put).await.unwrap().status,
        204
    );
    let listed = client.get(&memberships).await.unwrap().json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let member = client
        .get(&url(&quickstart, &format!("/{one}/group-member-status")))
        .await;
    assert_eq!(member.unwrap().json(), json!({"is_member": true}));
    for plane in [&one, &two] {
        let services = url(&quickstart, &format!("/{plane}/core-entities/services"));
        let body = json!({"name": "orders", "host": "orders.test"});
        assert_eq!(
            client.json("POST", &services, &body).await.unwrap().status,
            201
        );
    }
    let status = client
        .get(&url(&quickstart, &format!("/{group}/group-status")))
        .await
        .unwrap();
    assert_eq!(
        status.json()["item"]["state"],
        "CONFLICT",
        "{}",
        status.text()
    );
    let remove = json!({"members": [{"id": two}]});
    let removed = client
        .json("POST", &format!("{memberships}/remove"), &remove)
        .await
        .unwrap();
    assert_eq!(removed.status, 204);
    let status = client
        .get(&url(&quickstart, &format!("/{group}/group-status")))
        .await
        .unwrap();
    assert_eq!(status.json()["item"]["state"], "OK", "{}", status.text());
}

#[tokio::test]
async fn nodes_show_the_hash_that_is_expected() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client();

    let expected = format!("{}/expected-config-hash", quickstart.plane_url());
    let nodes = format!("{}/nodes", quickstart.plane_url());
    test_support::eventually("the node is in sync", async || {
        let expected = client.get(&expected).await.ok()?.json();
        let nodes = client.get(&nodes).await.ok()?.json();
        let node = nodes["items"].as_array()?.first()?.clone();
        let hash = node["config_hash"].as_str()?;
        let is_empty = hash.chars().all(|c| c == '0');
        (is_empty || expected["expected_hash"] == node["config_hash"]).then_some(())
    })
    .await;
}
