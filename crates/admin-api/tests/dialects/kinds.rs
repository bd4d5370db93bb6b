//! Every kind, in both dialects and on both stores: created, read, written back, replaced, changed,
//! removed.

use serde_json::{Value, json};

use test_support::Answer;

use super::fixture::{BOTH, Dialect, Fixture};
use super::table::{scenarios, start};

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

#[tokio::test]
async fn what_is_created_is_read_by_every_key() {
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let at = format!("{kept:?} {dialect:?} {}", row.path);
        assert_eq!(
            fixture.get(row.list(dialect)).await.json()["data"],
            json!([]),
            "{at}"
        );

        let created = fixture.create(row.path, (row.body)()).await;

        let id = created["id"].as_str().unwrap();
        let read = fixture.get(&format!("{}/{id}", row.path)).await;
        assert_eq!((read.status, entity(&read)), (200, created.clone()), "{at}");
        let listed = fixture.get(row.list(dialect)).await.json();
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
        let listed = fixture.get(row.list(dialect)).await.json();
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
        let listed = fixture.get(row.list(dialect)).await.json();
        assert_eq!(listed["data"], json!([]), "{kept:?} {dialect:?} {item}");
    }
}

#[tokio::test]
async fn both_dialects_show_the_same_entities() {
    for (row, dialect, kept) in scenarios() {
        if dialect != Dialect::Gateway || !row.is_in_core {
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
