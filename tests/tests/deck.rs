//! The calls that decK makes, in its order and with its parameters: ping, dump, defaults, sync, a
//! difference that is empty, and reset; on a control plane's own API and on its Admin API.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use test_support::{Answer, Client, Quickstart};

const TAG: &str = "managed";

/// What differs between the two APIs for decK.
struct Target {
    name: &'static str,
    base: String,
    /// Where it looks whether its credentials are good.
    pings: Vec<String>,
    /// Where it learns what is left out by itself.
    defaults: &'static [&'static str],
}

fn targets(quickstart: &Quickstart) -> [Target; 2] {
    let global = quickstart.fact("global_api_url");
    let geo = quickstart.fact("geo_api_url");
    let plane = quickstart.plane_url();
    let groups = format!("{geo}/konnect-api/api/runtime_groups");
    [
        Target {
            name: "core entities",
            base: format!("{plane}/core-entities"),
            pings: vec![
                format!("{global}/v2/organizations/me"),
                groups.clone(),
                format!("{groups}?page=2&size=100"),
            ],
            defaults: &[
                "v1/schemas/json/service",
                "v1/schemas/json/route",
                "v1/schemas/json/upstream",
                "v1/schemas/json/target",
                "schemas/plugins/key-auth",
            ],
        },
        Target {
            name: "Admin API",
            base: format!("{plane}/admin"),
            pings: vec![format!("{plane}/admin/")],
            defaults: &[
                "schemas/services",
                "schemas/routes",
                "schemas/upstreams",
                "schemas/targets",
                "schemas/plugins/key-auth",
            ],
        },
    ]
}

/// Collections that are dumped; what is not there is 404 and tolerated.
const COLLECTIONS: [&str; 25] = [
    "services",
    "routes",
    "plugins",
    "filter-chains",
    "certificates",
    "ca_certificates",
    "snis",
    "consumers",
    "upstreams",
    "vaults",
    "keys",
    "key-sets",
    "key-auths",
    "hmac-auths",
    "jwts",
    "basic-auths",
    "oauth2",
    "acls",
    "mtls-auths",
    "consumer_groups",
    "licenses",
    "partials",
    "degraphql_routes",
    "cloned-plugins",
    "custom-plugins",
];

fn id(number: usize) -> String {
    format!("b0000000-0000-4000-8000-{number:012}")
}

/// Path of a PUT by id, collection it is listed in, and the body; in the order of what refers to
/// what.
fn state() -> Vec<(String, &'static str, Value)> {
    let at = |number| json!({"id": id(number)});
    let rows = [
        (
            "services",
            "services",
            json!({"name": "orders", "host": "orders.test"}),
        ),
        (
            "services",
            "services",
            json!({"name": "users", "host": "users.test", "retries": 1}),
        ),
        (
            "services",
            "services",
            json!({"name": "stock", "host": "stock.test"}),
        ),
        (
            "routes",
            "routes",
            json!({"name": "orders", "paths": ["/orders"], "service": at(1)}),
        ),
        (
            "consumers",
            "consumers",
            json!({"username": "ann", "custom_id": "17"}),
        ),
        ("upstreams", "upstreams", json!({"name": "orders.test"})),
        (
            "consumer_groups",
            "consumer_groups",
            json!({"name": "gold"}),
        ),
        (
            "vaults",
            "vaults",
            json!({"name": "env", "prefix": "mine", "config": {"prefix": "x_"}}),
        ),
        ("key-sets", "key-sets", json!({"name": "set"})),
        (
            "plugins",
            "plugins",
            json!({"name": "key-auth", "route": at(4), "config": {"key_names": ["k"]}}),
        ),
        (
            "consumers/5/key-auth",
            "key-auths",
            json!({"key": "secret-of-ann"}),
        ),
        ("consumers/5/acls", "acls", json!({"group": "staff"})),
    ];
    let rows = rows.into_iter().enumerate();
    rows.map(|(position, (path, collection, mut body))| {
        let number = position + 1;
        body["id"] = json!(id(number));
        body["tags"] = json!([TAG]);
        let path = path.replace("/5/", &format!("/{}/", id(5)));
        (format!("{path}/{}", id(number)), collection, body)
    })
    .collect()
}

struct Deck<'t> {
    client: Client,
    target: &'t Target,
}

impl Deck<'_> {
    async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}/{path}", self.target.base);
        let answer = self.client.json(method, &url, body).await;
        answer.expect("an answer of the platform")
    }

    async fn get(&self, url: &str) -> Answer {
        let answer = self.client.get(url).await;
        answer.expect("an answer of the platform")
    }

    /// Everything with the tag, by collection; pages are followed to the last.
    async fn dump(&self, size: usize) -> BTreeMap<&'static str, Vec<Value>> {
        let mut found = BTreeMap::new();
        for collection in COLLECTIONS {
            let mut rows = Vec::new();
            let mut offset = String::new();
            loop {
                let query = format!("size={size}&tags={TAG}{offset}");
                let page = self
                    .get(&format!("{}/{collection}?{query}", self.target.base))
                    .await;
                // decK takes both for "not there".
                if page.status == 404 || (page.status == 400 && collection == "filter-chains") {
                    break;
                }
                assert_eq!(
                    page.status,
                    200,
                    "{} {collection}: {}",
                    self.target.name,
                    page.text()
                );
                let page = page.json();
                rows.extend(page["data"].as_array().expect("a page").iter().cloned());
                let Some(next) = page["offset"].as_str() else {
                    assert!(page["next"].is_null(), "{collection}: {page}");
                    break;
                };
                let next = next.bytes().map(|byte| format!("%{byte:02x}"));
                offset = format!("&offset={}", next.collect::<String>());
            }
            if !rows.is_empty() {
                rows.sort_by_key(|row| row["id"].to_string());
                found.insert(collection, rows);
            }
        }
        found
    }
}

/// A row as decK compares it: without the moments of its making and last write.
fn compared(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(members) = row.as_object_mut() {
        members.retain(|member, _| !matches!(member.as_str(), "created_at" | "updated_at"));
    }
    row
}

fn all_compared(rows: &BTreeMap<&str, Vec<Value>>) -> Value {
    let rows = rows.iter();
    rows.map(|(name, rows)| {
        (
            (*name).to_owned(),
            rows.iter().map(compared).collect::<Vec<_>>(),
        )
    })
    .collect()
}

#[tokio::test]
async fn a_state_is_written_read_back_without_difference_and_removed() {
    let quickstart = Quickstart::empty().await;
    for target in &targets(&quickstart) {
        let deck = Deck {
            client: quickstart.client(),
            target,
        };
        walk(&deck).await;
    }
}

async fn walk(deck: &Deck<'_>) {
    let name = deck.target.name;
    for url in &deck.target.pings {
        assert_eq!(deck.get(url).await.status, 200, "{url}");
    }
    for path in deck.target.defaults {
        let url = format!("{}/{path}", deck.target.base);
        assert_eq!(deck.get(&url).await.status, 200, "{url}");
    }
    assert!(deck.dump(1000).await.is_empty(), "{name}");

    for (path, _, body) in state() {
        let answer = deck.call("PUT", &path, &body).await;
        assert_eq!(answer.status, 200, "{name} {path}: {}", answer.text());
        assert_eq!(answer.json()["id"], body["id"], "{name} {path}");
    }
    let upstream = id(6);
    let address = json!({"target": "127.0.0.1:80", "tags": [TAG]});
    let made = deck
        .call("POST", &format!("upstreams/{upstream}/targets"), &address)
        .await;
    assert_eq!(made.status, 201, "{name}: {}", made.text());
    let member = json!({"consumer": id(5)});
    let joined = deck
        .call(
            "POST",
            &format!("consumer_groups/{}/consumers", id(7)),
            &member,
        )
        .await;
    assert_eq!(joined.status, 201, "{name}: {}", joined.text());

    // Small pages give what large ones give.
    let first = deck.dump(2).await;
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, collection, _) in state() {
        *expected.entry(collection).or_default() += 1;
    }
    let counted = first
        .iter()
        .map(|(name, rows)| (*name, rows.len()))
        .collect();
    assert_eq!(expected, counted, "{name}");
    assert_eq!(
        all_compared(&first),
        all_compared(&deck.dump(1000).await),
        "{name}"
    );

    // What was read and is written back changes nothing.
    for (path, collection, body) in state() {
        let row = first[collection].iter().find(|row| row["id"] == body["id"]);
        let row = row.expect("it was listed");
        let again = deck.call("PUT", &path, row).await;
        assert_eq!(again.status, 200, "{name} {path}: {}", again.text());
        assert_eq!(compared(&again.json()), compared(row), "{name} {path}");
    }
    assert_eq!(
        all_compared(&first),
        all_compared(&deck.dump(1000).await),
        "{name}"
    );

    for (path, ..) in state().iter().rev() {
        let url = format!("{}/{path}", deck.target.base);
        let gone = deck.client.send("DELETE", &url, &[], Bytes::new()).await;
        assert_eq!(gone.expect("an answer").status, 204, "{name} {path}");
    }
    assert!(deck.dump(1000).await.is_empty(), "{name}");
}
