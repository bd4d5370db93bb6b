//! One scenario for every kind, in both dialects and on both stores: created, read, replaced, changed, listed,
//! clashing, removed.

use serde_json::{Value, json};

use test_support::Answer;

use super::fixture::{BOTH, Dialect, Fixture, Kept, certificate};

/// A collection and a body.
type Before = (&'static str, fn() -> Value);

/// One kind and how it is written.
struct Row {
    /// Entities that have to exist: collection and body.
    before: &'static [Before],
    /// Where it is written.
    path: &'static str,
    /// Where all of them are listed.
    list: &'static str,
    /// The least a body needs.
    body: fn() -> Value,
    /// The member of its other key.
    key: Option<&'static str>,
    /// A member and another value for it.
    change: (&'static str, fn() -> Value),
    /// Whether an equal body clashes.
    clashes: bool,
}

const SERVICE: Before = ("services", || json!({"name": "s", "host": "s.test"}));
const CONSUMER: Before = ("consumers", || json!({"username": "ann"}));
const UPSTREAM: Before = ("upstreams", || json!({"name": "u.test"}));
const TAGS: Before = ("tags", || json!(["changed"]));
const JWK: &str = r#"{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}"#;

const fn row(path: &'static str, body: fn() -> Value) -> Row {
    Row {
        before: &[],
        path,
        list: path,
        body,
        key: None,
        change: TAGS,
        clashes: true,
    }
}

const fn credential(path: &'static str, list: &'static str, body: fn() -> Value) -> Row {
    Row {
        before: &[CONSUMER],
        list,
        ..row(path, body)
    }
}

const ROWS: &[Row] = &[
    Row {
        key: Some("name"),
        change: ("port", || json!(8080)),
        ..row("services", || json!({"name": "a", "host": "a.test"}))
    },
    Row {
        key: Some("name"),
        change: ("paths", || json!(["/b"])),
        ..row("routes", || json!({"name": "r", "paths": ["/a"]}))
    },
    Row {
        before: &[SERVICE],
        path: "services/s/routes",
        list: "routes",
        key: Some("name"),
        change: ("preserve_host", || json!(true)),
        ..row("routes", || json!({"name": "r", "paths": ["/a"]}))
    },
    Row {
        key: Some("username"),
        change: ("custom_id", || json!("c-1")),
        ..row("consumers", || json!({"username": "bob"}))
    },
    Row {
        key: Some("name"),
        ..row("consumer_groups", || json!({"name": "gold"}))
    },
    Row {
        change: ("enabled", || json!(false)),
        ..row("plugins", || json!({"name": "key-auth"}))
    },
    Row {
        before: &[SERVICE],
        path: "services/s/plugins",
        list: "plugins",
        change: ("enabled", || json!(false)),
        ..row("plugins", || json!({"name": "key-auth"}))
    },
    Row {
        key: Some("name"),
        change: ("algorithm", || json!("least-connections")),
        ..row("upstreams", || json!({"name": "u.test"}))
    },
    Row {
        before: &[UPSTREAM],
        list: "upstreams/u.test/targets",
        key: Some("target"),
        change: ("weight", || json!(7)),
        ..row(
            "upstreams/u.test/targets",
            || json!({"target": "10.0.0.1:80"}),
        )
    },
    Row {
        clashes: false,
        ..row("certificates", certificate)
    },
    Row {
        key: Some("prefix"),
        change: ("description", || json!("other")),
        ..row("vaults", || json!({"prefix": "my-env", "name": "env"}))
    },
    Row {
        key: Some("name"),
        ..row("key-sets", || json!({"name": "set"}))
    },
    Row {
        key: Some("name"),
        ..row("keys", || json!({"name": "k", "kid": "k", "jwk": JWK}))
    },
    credential(
        "consumers/ann/key-auth",
        "key-auths",
        || json!({"key": "open sesame"}),
    ),
    credential(
        "consumers/ann/hmac-auth",
        "hmac-auths",
        || json!({"username": "h", "secret": "s"}),
    ),
    credential(
        "consumers/ann/jwt",
        "jwts",
        || json!({"key": "j", "secret": "s"}),
    ),
    credential(
        "consumers/ann/basic-auth",
        "basic-auths",
        || json!({"username": "b", "password": "p"}),
    ),
    credential("consumers/ann/acls", "acls", || json!({"group": "staff"})),
];

/// What an answer says without the moment of its last change.
fn stable(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("updated_at");
    body
}

/// The entity of an answer; a group is answered with its members around it.
fn entity(answer: &Answer) -> Value {
    let body = answer.json();
    body.get("consumer_group").cloned().unwrap_or(body)
}

/// Every row in every dialect on every store.
fn scenarios() -> Vec<(&'static Row, Dialect, Kept)> {
    let mut all = Vec::new();
    for kept in Kept::both() {
        for dialect in BOTH {
            all.extend(ROWS.iter().map(|row| (row, dialect, kept.clone())));
        }
    }
    all
}

async fn start(row: &Row, dialect: Dialect, kept: &Kept) -> Fixture {
    let fixture = Fixture::on(kept, dialect).await;
    for (path, body) in row.before {
        fixture.create(path, body()).await;
    }
    fixture
}

#[tokio::test]
async fn what_is_created_is_read_by_every_key() {
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let at = format!("{kept:?} {dialect:?} {}", row.path);
        assert_eq!(
            fixture.get(row.list).await.json()["data"],
            json!([]),
            "{at}"
        );

        let created = fixture.create(row.path, (row.body)()).await;

        let id = created["id"].as_str().unwrap();
        let read = fixture.get(&format!("{}/{id}", row.path)).await;
        assert_eq!((read.status, entity(&read)), (200, created.clone()), "{at}");
        let listed = fixture.get(row.list).await.json();
        assert_eq!(listed["data"], json!([created]), "{at}");
        assert_eq!(listed["next"], Value::Null, "{at}");
        if let Some(key) = row.key {
            let key = created[key].as_str().unwrap();
            let read = fixture.get(&format!("{}/{key}", row.path)).await;
            assert_eq!(entity(&read), created, "{at}");
        }
    }
}

#[tokio::test]
async fn what_was_read_and_written_back_changes_nothing() {
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;
        let item = format!("{}/{}", row.path, created["id"].as_str().unwrap());

        let written = fixture.send("PUT", &item, &created).await;

        let at = format!("{kept:?} {dialect:?} {item}: {}", written.text());
        assert_eq!(written.status, 200, "{at}");
        assert_eq!(stable(written.json()), stable(created), "{at}");
    }
}

#[tokio::test]
async fn putting_under_an_unknown_id_creates_with_it() {
    for (row, dialect, kept) in scenarios() {
        if row.path.ends_with("/targets") && dialect == Dialect::Gateway {
            continue;
        }
        let fixture = start(row, dialect, &kept).await;
        let id = "0195d6a4-0000-4000-8000-00000000abcd";
        let item = format!("{}/{id}", row.path);

        let written = fixture.send("PUT", &item, &(row.body)()).await;

        let at = format!("{kept:?} {dialect:?} {item}: {}", written.text());
        assert_eq!(
            (written.status, &written.json()["id"]),
            (200, &json!(id)),
            "{at}"
        );
        let listed = fixture.get(row.list).await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{at}");
    }
}

#[tokio::test]
async fn a_patch_changes_one_member_and_keeps_the_others() {
    for (row, dialect, kept) in scenarios() {
        if dialect != Dialect::Gateway {
            continue;
        }
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;
        let item = format!("{}/{}", row.path, created["id"].as_str().unwrap());
        let (member, value) = (row.change.0, (row.change.1)());

        let changed = fixture
            .send("PATCH", &item, &json!({ member: value }))
            .await;

        let mut expected = created;
        expected[member] = value;
        assert_eq!(changed.status, 200, "{item}: {}", changed.text());
        assert_eq!(stable(changed.json()), stable(expected.clone()), "{item}");
        let read = entity(&fixture.get(&item).await);
        assert_eq!(stable(read), stable(expected), "{item}");
    }
}

#[tokio::test]
async fn control_planes_know_no_patch() {
    let fixture = Fixture::start(Dialect::Core).await;
    let answer = fixture
        .send("PATCH", "services/x", &json!({"port": 1}))
        .await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn an_equal_entity_clashes() {
    for (row, dialect, kept) in scenarios() {
        if !row.clashes {
            continue;
        }
        let fixture = start(row, dialect, &kept).await;
        fixture.create(row.path, (row.body)()).await;

        let second = fixture.send("POST", row.path, &(row.body)()).await;

        let at = format!("{kept:?} {dialect:?} {}: {}", row.path, second.text());
        match dialect {
            Dialect::Gateway => {
                assert_eq!(
                    (second.status, &second.json()["code"]),
                    (409, &json!(5)),
                    "{at}"
                );
            }
            Dialect::Core => assert_eq!(second.status, 400, "{at}"),
        }
        let listed = fixture.get(row.list).await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{at}");
    }
}

#[tokio::test]
async fn what_is_removed_is_gone() {
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;
        let item = format!("{}/{}", row.path, created["id"].as_str().unwrap());

        let removed = fixture.bare("DELETE", &item).await;

        assert_eq!(
            (removed.status, removed.body.len()),
            (204, 0),
            "{kept:?} {dialect:?} {item}"
        );
        assert_eq!(
            fixture.get(&item).await.status,
            404,
            "{kept:?} {dialect:?} {item}"
        );
        let listed = fixture.get(row.list).await.json();
        assert_eq!(listed["data"], json!([]), "{kept:?} {dialect:?} {item}");
    }
}

#[tokio::test]
async fn both_dialects_show_the_same_entities() {
    for (row, dialect, kept) in scenarios() {
        if dialect != Dialect::Gateway {
            continue;
        }
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;
        let item = format!("{}/{}", row.path, created["id"].as_str().unwrap());

        let fixture = fixture.speaking(Dialect::Core);

        let mut read = entity(&fixture.get(&item).await);
        let mut created = created;
        for body in [&mut read, &mut created] {
            // Server names of a certificate are entities of their own there.
            body.as_object_mut().unwrap().remove("snis");
            // Rows that never end say so only in the gateway's dialect.
            body.as_object_mut()
                .unwrap()
                .retain(|name, value| name != "ttl" || !value.is_null());
        }
        assert_eq!(read, created, "{item}");
    }
}

#[tokio::test]
async fn a_scope_that_is_read_only_answers_reads_alone() {
    for dialect in BOTH {
        let fixture = Fixture::read_only(dialect).await;
        assert_eq!(fixture.get("services").await.status, 200);
        let body = json!({"name": "s", "host": "s.test"});
        for (method, path) in [("POST", "services"), ("PUT", "services/s")] {
            let refused = fixture.send(method, path, &body).await;
            assert_eq!(refused.status, 403, "{dialect:?} {method}");
            assert_eq!(refused.json()["message"], "it is read-only");
        }
        assert_eq!(fixture.get("services").await.json()["data"], json!([]));
    }
}
