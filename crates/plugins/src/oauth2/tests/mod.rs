//! Facts about `oauth2`.

mod grants;
mod refusals;
mod tokens;

use std::sync::Arc;

use plugin_api::{
    Addition, CredentialEntry, Database, DatabaseError, DatabaseFuture, Handler, Lookups, Reply,
    ReplyBody, Scheme,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::DEFINITION;
use crate::testing::{ALICE, ANON, Bench, Request, kinds, text};

const APPLICATION: u128 = 0x9;

/// Rows in memory.
#[derive(Debug, Default)]
struct Rows {
    rows: parking_lot::Mutex<Vec<(&'static str, Map<String, Value>)>>,
    is_away: bool,
}

impl Rows {
    fn count(&self, kind: &str) -> usize {
        self.rows
            .lock()
            .iter()
            .filter(|(own, _)| *own == kind)
            .count()
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> DatabaseFuture<T> {
        let is_away = self.is_away;
        Box::pin(async move {
            match is_away {
                true => Err(DatabaseError("away".to_owned())),
                false => Ok(answer),
            }
        })
    }
}

impl Database for Rows {
    fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>> {
        let rows = self.rows.lock();
        let mut found = rows
            .iter()
            .filter(|(own, row)| *own == kind && row[field] == value);
        self.answer(found.next().map(|(_, row)| row.clone()))
    }

    fn put(&self, kind: &'static str, row: Map<String, Value>) -> DatabaseFuture<()> {
        let mut rows = self.rows.lock();
        rows.retain(|(own, other)| *own != kind || other["id"] != row["id"]);
        rows.push((kind, row));
        self.answer(())
    }

    fn take(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<bool> {
        let mut rows = self.rows.lock();
        let before = rows.len();
        rows.retain(|(own, row)| *own != kind || row["id"] != id.to_string());
        self.answer(rows.len() < before)
    }

    fn delete(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<()> {
        drop(self.take(kind, id));
        self.answer(())
    }

    fn count(&self, _: Vec<Addition>) -> DatabaseFuture<Vec<u64>> {
        self.answer(Vec::new())
    }
}

/// A bench with an application of Alice's, and a database.
#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn bench(application: Value) -> (Bench, Arc<Rows>) {
    let mut bench = Bench::new();
    let rows = Arc::new(Rows::default());
    bench.node.database = Some(Arc::clone(&rows) as Arc<dyn Database>);
    let mut body = json!({
        "id": Uuid::from_u128(APPLICATION).to_string(), "client_id": "cid",
        "client_secret": "csec", "client_type": "confidential",
        "redirect_uris": ["http://app.test/cb"],
    });
    for (name, value) in application.as_object().unwrap() {
        body[name] = value.clone();
    }
    let body = body.as_object().unwrap().clone();
    let mut builder = Lookups::builder(kinds());
    for id in [ALICE, ANON] {
        builder.consumer((**bench.lookups.consumer(Uuid::from_u128(id)).unwrap()).clone());
    }
    for kind in &DEFINITION.credentials[..2] {
        let entry = CredentialEntry {
            id: Uuid::from_u128(APPLICATION),
            id_text: text(APPLICATION),
            consumer: Arc::clone(builder.find_consumer(Uuid::from_u128(ALICE)).unwrap()),
            expires_at_ms: None,
            prepared: kind.prepare.and_then(|prepare| prepare(&body)),
        };
        let slot = builder.slot_by(kind.entity, kind.field).unwrap();
        builder.credential(slot, body[kind.field].as_str().unwrap().as_bytes(), entry);
    }
    bench.lookups = builder.finish();
    (bench, rows)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn config(more: Value) -> Value {
    let mut config = json!({
        "provision_key": "pk", "enable_client_credentials": true, "enable_password_grant": true,
        "enable_authorization_code": true, "enable_implicit_grant": true,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn post(path: &str, headers: &[(&str, &str)], form: &str) -> Request {
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    let mut request = Request::new("POST", path, &all);
    request.body = Some(form.as_bytes().to_vec());
    request.client.scheme = Scheme::Https;
    request
}

fn parts(reply: &Reply) -> (u16, Value) {
    match &reply.body {
        ReplyBody::Raw(body) => (reply.status, serde_json::from_slice(body).unwrap()),
        _ => (reply.status, Value::Null),
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let mut found = reply.headers.iter();
    let found = found.find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    std::str::from_utf8(&found.1).ok()
}

fn token(bench: &Bench, handler: &dyn Handler, form: &str) -> (u16, Value) {
    let mut request = post(
        "/oauth2/token",
        &[],
        &format!("client_id=cid&client_secret=csec&{form}"),
    );
    parts(&request.access(bench, handler).expect("an answer"))
}

fn authorize(bench: &Bench, handler: &dyn Handler, form: &str) -> (u16, Value) {
    let form = format!("provision_key=pk&authenticated_userid=u7&client_id=cid&{form}");
    parts(
        &post("/oauth2/authorize/", &[], &form)
            .access(bench, handler)
            .expect("an answer"),
    )
}

fn problem(error: &str, text: &str) -> (u16, Value) {
    (400, json!({"error": error, "error_description": text}))
}

fn bearer(token: &str) -> Request {
    Request::new("GET", "/", &[("Authorization", &format!("Bearer {token}"))])
}

/// The value of a parameter in the query or fragment of a redirect.
fn redirected(answer: &Value, name: &str) -> String {
    let uri = answer["redirect_uri"].as_str().unwrap();
    let (_, parameters) = uri.split_once(['?', '#']).unwrap();
    let mut pairs = parameters
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).expect(uri).1.to_owned()
}
