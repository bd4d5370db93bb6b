//! The store with the real entities.

use std::sync::Arc;

use entities::{Catalogue, NoPlugins};
use gatehouse_store::{Body, Model, Operation, Store, StoreError, pack};
use serde_json::{Value, json};
use test_support::TempDir;

use crate::common::*;

fn row(kind: &'static str, number: u128, mut members: Value) -> Operation {
    members["id"] = json!(id(number));
    insert(kind, body(members))
}

fn to(number: u128) -> Value {
    json!({ "id": id(number) })
}

/// One row of each kind that holds secrets, each secret with a number.
fn credentials() -> Vec<Operation> {
    vec![
        row("consumers", 1, json!({ "username": "alice" })),
        row(
            "certificates",
            2,
            json!({ "key": "HIDDEN-01", "key_alt": "HIDDEN-02" }),
        ),
        row(
            "keyauth_credentials",
            3,
            json!({ "key": "HIDDEN-03", "consumer": to(1) }),
        ),
        row(
            "basicauth_credentials",
            4,
            json!({ "username": "a", "password": "HIDDEN-04", "consumer": to(1) }),
        ),
        row(
            "hmacauth_credentials",
            5,
            json!({ "username": "a", "secret": "HIDDEN-05", "consumer": to(1) }),
        ),
        row(
            "jwt_secrets",
            6,
            json!({ "key": "a", "secret": "HIDDEN-06", "consumer": to(1) }),
        ),
        row(
            "oauth2_credentials",
            7,
            json!({ "client_id": "a", "client_secret": "HIDDEN-07", "consumer": to(1) }),
        ),
        row(
            "oauth2_tokens",
            8,
            json!({ "access_token": "HIDDEN-08", "refresh_token": "HIDDEN-09", "credential": to(7) }),
        ),
        row(
            "keys",
            9,
            json!({ "kid": "a", "jwk": "HIDDEN-10", "pem": { "private_key": "HIDDEN-11" } }),
        ),
        row(
            "vaults",
            10,
            json!({ "prefix": "a", "config": { "token": "HIDDEN-12" } }),
        ),
        row(
            "plugins",
            11,
            json!({ "name": "p", "config": { "redis": { "password": "HIDDEN-13" } } }),
        ),
        row(
            "acme_storage",
            12,
            json!({ "key": "a", "value": "HIDDEN-14" }),
        ),
    ]
}

#[tokio::test]
async fn no_credential_of_any_kind_lies_on_the_disk() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let store = open_at(
        path.into(),
        1,
        Arc::new(Catalogue::new(Arc::new(NoPlugins))),
    )
    .unwrap();
    apply(&store, credentials()).await.unwrap();

    let files = std::fs::read_dir(folder.path()).unwrap();
    let on_disk: Vec<u8> = files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let marker = b"HIDDEN-";
    let found = on_disk
        .windows(marker.len() + 2)
        .find(|window| window.starts_with(marker));
    assert_eq!(found.map(String::from_utf8_lossy), None);
    let exported = serde_json::to_string(&store.export(PLANE).await.unwrap().open()).unwrap();
    for number in 1..=14 {
        assert!(
            exported.contains(&format!("HIDDEN-{number:02}")),
            "{number}"
        );
    }
}

#[test]
fn kinds_come_before_those_that_refer_to_them() {
    let catalogue = Catalogue::new(Arc::new(NoPlugins));
    let names: Vec<_> = Model::kinds(&catalogue)
        .iter()
        .map(|kind| kind.name)
        .collect();
    for kind in catalogue.kinds() {
        let own = names.iter().position(|name| *name == kind.name).unwrap();
        for (field, target) in kind.foreign_fields() {
            let other = names.iter().position(|name| *name == target).unwrap();
            assert!(other < own, "{}.{}", kind.name, field.name);
        }
    }
}

/// A row of each kind that hangs on a service, a certificate, a consumer or an upstream.
async fn filled(store: &Store) {
    let rows = vec![
        row("certificates", 1, json!({ "cert": "c", "key": "k" })),
        row(
            "snis",
            2,
            json!({ "name": "a.example.com", "certificate": to(1) }),
        ),
        row(
            "services",
            3,
            json!({ "name": "s", "client_certificate": to(1) }),
        ),
        row("routes", 4, json!({ "name": "r", "service": to(3) })),
        row("consumers", 5, json!({ "username": "u", "custom_id": "c" })),
        row(
            "plugins",
            6,
            json!({ "name": "p", "service": to(3), "route": to(4), "consumer": null }),
        ),
        row("plugins", 7, json!({ "name": "p", "consumer": to(5) })),
        row(
            "keyauth_credentials",
            8,
            json!({ "key": "k", "consumer": to(5) }),
        ),
        row("upstreams", 9, json!({ "name": "up" })),
        row(
            "targets",
            10,
            json!({ "target": "t:80", "upstream": to(9) }),
        ),
        row("acls", 11, json!({ "group": "g", "consumer": to(5) })),
    ];
    apply(store, rows).await.unwrap();
}

async fn removing_follows_the_rules_of_the_model(place: Place) {
    let store = place.open_real();
    filled(&store).await;
    let referenced = async |kind, number| match apply(&store, vec![delete(kind, number)]).await {
        Err(StoreError::Referenced { by, .. }) => by,
        other => panic!("{other:?}"),
    };
    assert_eq!(referenced("services", 3).await, "routes");
    assert_eq!(referenced("certificates", 1).await, "services");

    // Route takes its plugin, consumer its plugin and credentials, upstream its target.
    assert_eq!(
        apply(&store, vec![delete("routes", 4)])
            .await
            .unwrap()
            .changed,
        2
    );
    assert_eq!(
        apply(&store, vec![delete("consumers", 5)])
            .await
            .unwrap()
            .changed,
        4
    );
    assert_eq!(
        apply(&store, vec![delete("upstreams", 9)])
            .await
            .unwrap()
            .changed,
        2
    );
    assert_eq!(
        apply(&store, vec![delete("services", 3)])
            .await
            .unwrap()
            .changed,
        1
    );
    // The certificate takes its names.
    assert_eq!(
        apply(&store, vec![delete("certificates", 1)])
            .await
            .unwrap()
            .changed,
        2
    );
    assert!(store.export(PLANE).await.unwrap().tables.is_empty());
}

async fn uniqueness_follows_the_rules_of_the_model(place: Place) {
    let store = place.open_real();
    filled(&store).await;
    let taken = async |kind, members: Value| -> Vec<String> {
        match apply(&store, vec![row(kind, 99, members)]).await {
            Err(StoreError::Unique { fields, .. }) => {
                let mut names: Vec<String> = fields.keys().cloned().collect();
                names.sort();
                names
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(taken("services", json!({ "name": "s" })).await, ["name"]);
    assert_eq!(
        taken("consumers", json!({ "custom_id": "c" })).await,
        ["custom_id"]
    );
    assert_eq!(taken("upstreams", json!({ "name": "up" })).await, ["name"]);
    let sni = json!({ "name": "a.example.com", "certificate": to(1) });
    assert_eq!(taken("snis", sni).await, ["name"]);
    let credential = json!({ "key": "k", "consumer": to(5) });
    assert_eq!(taken("keyauth_credentials", credential).await, ["key"]);
    let target = json!({ "target": "t:80", "upstream": to(9) });
    assert_eq!(taken("targets", target).await, ["target", "upstream"]);
    let group = json!({ "group": "g", "consumer": to(5) });
    assert_eq!(taken("acls", group).await, ["consumer", "group"]);
    // Null members of a plugin's scope count.
    let scoped = json!({ "name": "p", "service": to(3), "route": to(4) });
    assert_eq!(
        taken("plugins", scoped).await,
        ["consumer", "name", "route", "service"]
    );

    // Rows without a name do not collide with each other.
    let nameless = vec![
        row("services", 20, json!({})),
        row("services", 21, json!({ "name": null })),
    ];
    apply(&store, nameless).await.unwrap();
    // The same plugin may stand elsewhere.
    apply(&store, vec![row("plugins", 22, json!({ "name": "p" }))])
        .await
        .unwrap();
    let found = store
        .find(PLANE, "keyauth_credentials", "key", "k")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found["id"], json!(id(8)));
}

async fn trusted_certificate_in_use_stays(place: Place) {
    let store = place.open_real();
    let trusting = |members: Value| json!({ "ca_certificates": members });
    let rows = vec![
        row(
            "ca_certificates",
            1,
            json!({ "cert": "a", "cert_digest": "a" }),
        ),
        row(
            "ca_certificates",
            2,
            json!({ "cert": "b", "cert_digest": "b" }),
        ),
        // Named twice, together with one that does not exist.
        row("services", 3, trusting(json!([id(1), id(1), id(77)]))),
        row(
            "plugins",
            4,
            json!({ "name": "p", "config": trusting(json!([id(2)])) }),
        ),
    ];
    apply(&store, rows).await.unwrap();
    for (number, by_kind, by_number) in [(1, "services", 3), (2, "plugins", 4)] {
        let error = apply(&store, vec![delete("ca_certificates", number)])
            .await
            .unwrap_err();
        let expected = StoreError::Referenced {
            kind: "ca_certificates".to_owned(),
            id: id(number),
            by: by_kind.to_owned(),
            by_id: id(by_number),
        };
        assert_eq!(error, expected);
    }

    let free = Operation::Update {
        kind: "services",
        id: id(3),
        body: bare(3),
    };
    apply(&store, vec![free, delete("ca_certificates", 1)])
        .await
        .unwrap();
    apply(
        &store,
        vec![delete("plugins", 4), delete("ca_certificates", 2)],
    )
    .await
    .unwrap();
}

fn bare(number: u128) -> Body {
    body(json!({ "id": id(number) }))
}

async fn parameters_are_kept_by_their_key(place: Place) {
    let store = place.open_real();
    let tables = |value: &str| {
        let row = body(json!({ "key": "cluster_id", "value": value }));
        vec![Operation::ReplaceAll {
            tables: pack([("parameters".to_owned(), vec![row])].into()),
        }]
    };
    assert_eq!(apply(&store, tables("a")).await.unwrap().changed, 1);
    assert_eq!(apply(&store, tables("a")).await.unwrap().changed, 0);
    assert_eq!(apply(&store, tables("b")).await.unwrap().changed, 1);
    let export = store.export(PLANE).await.unwrap().open();
    assert_eq!(
        export["parameters"],
        [body(json!({ "key": "cluster_id", "value": "b" }))]
    );
}

on_both_stores! {
    removing_follows_the_rules_of_the_model,
    uniqueness_follows_the_rules_of_the_model,
    trusted_certificate_in_use_stays,
    parameters_are_kept_by_their_key,
}
