//! How long whole documents of 100,000 entities take: planned, written, repeated, read, rolled
//! back. `cargo run --release -p gatehouse-admin-api --example documents`

#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::sync::Arc;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::{Extension, Router};
use entities::Catalogue;
use gatehouse_admin_api::{Entities, Scope, batch, revision};
use http::{Method, Request};
use store::{Actor, Store, StoreOptions};
use tokio::time::Instant;
use tower::ServiceExt as _;
use uuid::Uuid;

const PLANE: Uuid = Uuid::from_u128(1);
const BASE: &str = "/v2/control-planes/00000000-0000-0000-0000-000000000001";

/// 10,000 services with two routes each, 35,000 consumers with a key each.
fn document() -> String {
    let mut text = String::from("_format_version: \"3.0\"\nservices:\n");
    for i in 0..10_000 {
        text.push_str(&format!("- name: s{i}\n  host: h{i}.test\n  routes:\n"));
        for j in 0..2 {
            text.push_str(&format!("  - name: r{i}-{j}\n    paths: [/p{i}/{j}]\n"));
        }
    }
    text.push_str("consumers:\n");
    for i in 0..35_000 {
        text.push_str(&format!(
            "- username: u{i}\n  keyauth_credentials:\n  - key: key-{i}\n"
        ));
    }
    text
}

async fn call(router: &Router, method: Method, rest: &str, body: String) -> usize {
    let request = Request::builder()
        .method(method)
        .uri(format!("{BASE}{rest}"))
        .header("accept", "application/yaml")
        .body(Body::from(body))
        .expect("a request");
    let start = Instant::now();
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    let length = bytes.map_or(0, |bytes| bytes.len());
    println!(
        "{rest:50} {status} {length:>10} bytes {:>8.2?}",
        start.elapsed()
    );
    length
}

#[tokio::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("gatehouse-documents-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let catalogue = Arc::new(Catalogue::new(plugins::catalogue()));
    let store = Store::open(StoreOptions {
        location: folder.join("a.db").into(),
        sealer: Arc::new(pki::Sealer::from_key(&[1; 32]).expect("a key")),
        catalogue: catalogue.clone(),
    });
    let entities = Entities::new(catalogue, store.expect("a store"));
    let scope = Scope {
        control_plane: PLANE,
        actor: Actor::system(),
        read_only: None,
    };
    let router = batch::router(entities.clone())
        .merge(revision::router(entities))
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(scope));
    let text = document();
    let at = "/declarative-configuration";
    for rest in [format!("{at}?dry_run=true"), at.to_owned(), at.to_owned()] {
        call(&router, Method::POST, &rest, text.clone()).await;
    }
    call(&router, Method::GET, at, String::new()).await;
    call(&router, Method::GET, "/revisions/1/diff", String::new()).await;
    call(
        &router,
        Method::POST,
        "/revisions/0/rollback",
        String::new(),
    )
    .await;
    call(
        &router,
        Method::POST,
        "/revisions/1/rollback",
        String::new(),
    )
    .await;
    drop(std::fs::remove_dir_all(folder));
}
