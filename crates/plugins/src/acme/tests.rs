//! Facts about `acme`; conversations with a real authority are in the tests of the engine.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pki::PeerCertificate;
use plugin_api::ReplyBody;
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use test_support::{Pebble, eventually};
use tokio::task::LocalSet;

use super::DEFINITION;
use super::config::{Config, storage};
use super::keeper::{Instance, Keeper};
use super::sign::AccountKey;
use super::storage::{Memory, Storage, backoff, challenge};
use crate::outcall::Trust;
use crate::testing::{Bench, Request, Server, complete, core, violations};

fn with(storage: &str, settings: Value) -> Value {
    let mut config = json!({
        "account_email": "a@b.test", "api_uri": "https://localhost:1/dir", "domains": ["a.test"],
        "storage": storage, "storage_config": {},
    });
    config["storage_config"][storage] = settings;
    config
}

fn allow(domains: &Value, any: bool, host: &str) -> bool {
    let mut config = with("shm", json!({}));
    config["domains"] = domains.clone();
    config["allow_any_domain"] = any.into();
    let config = Config::try_from(&complete(&DEFINITION, config)).unwrap();
    config.hosts.allow(host)
}

#[test]
fn a_host_is_allowed_by_name_by_its_end_or_by_being_any() {
    let domains = json!(["a.test", "*.b.test"]);
    for (host, is_allowed) in [
        ("a.test", true),
        ("x.a.test", false),
        ("x.b.test", true),
        ("x.y.b.test", true),
        ("b.test", false),
        ("c.test", false),
    ] {
        assert_eq!(allow(&domains, false, host), is_allowed, "{host}");
    }
    assert!(allow(&json!([]), true, "c.test"));
}

#[test]
fn the_answer_to_a_challenge_comes_out_of_the_storage() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, with("shm", json!({})));
    assert_eq!(bench.notices.len(), 1);
    let memory = Storage::Memory(bench.shared.get::<Memory>());
    core()
        .block_on(memory.set(&challenge("tok"), "tok.thumb"))
        .unwrap();
    let ask = |host: &str, path: &str| {
        let mut request = Request::new("GET", path, &[("host", host)]);
        let reply = request.access(&bench, &*handler)?;
        Some((reply.status, reply.body))
    };
    let body = |text: &'static str| ReplyBody::Raw(text.into());
    let path = "/.well-known/acme-challenge/tok";
    assert_eq!(ask("A.test:8000", path), Some((200, body("tok.thumb\n"))));
    let unknown = "/.well-known/acme-challenge/none";
    assert_eq!(ask("a.test", unknown), Some((404, body("Not found\n"))));
    for (host, path) in [
        ("b.test", path),
        ("a.test", "/"),
        ("a.test/..", path),
        ("", path),
    ] {
        assert_eq!(ask(host, path), None, "{host} {path}");
    }
    let long = format!("/.well-known/acme-challenge/{}", "t".repeat(5000));
    assert_eq!(ask("a.test", &long), Some((404, body("Not found\n"))));
}

/// A server that keeps what it is sent under the path it is sent to.
fn keeping(token: &'static str, wraps: bool) -> Server {
    let kept = Mutex::new(HashMap::<String, String>::new());
    Server::with(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut words = head.split([' ', '?']);
        let (verb, path) = (words.next().unwrap(), words.next().unwrap());
        let is_allowed = head
            .to_ascii_lowercase()
            .contains(&format!("-token: {token}"));
        let path = path.replace("/metadata/", "/data/");
        let mut kept = kept.lock();
        let found = match verb {
            _ if !is_allowed => return b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "GET" => kept.get(&path).cloned(),
            "DELETE" => kept.remove(&path).map(|_| String::new()),
            _ => kept
                .insert(path, body.to_owned())
                .or_else(|| Some("x".to_owned())),
        };
        match found {
            None => b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n".to_vec(),
            Some(text) => {
                let text = match (wraps, verb) {
                    (true, "GET") => format!("{{\"data\":{text}}}"),
                    _ => text,
                };
                let length = text.len();
                format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n{text}").into_bytes()
            }
        }
    })
}

#[test]
fn consul_and_vault_keep_values_for_those_with_the_token() {
    for (name, wraps) in [("consul", false), ("vault", true)] {
        let server = keeping("secret", wraps);
        let open = |token: &str| {
            let settings = json!({"host": "127.0.0.1", "port": server.port, "token": token});
            let config = complete(&DEFINITION, with(name, settings));
            let bench = Bench::new();
            let lookups = plugin_api::Lookups::builder(Vec::new());
            let mut context = plugin_api::BuildContext {
                shared: &bench.shared,
                lookups: &lookups,
                node: &bench.node,
                notices: Vec::new(),
            };
            storage(name, &config, &mut context).unwrap()
        };
        let storage = open("secret");
        core().block_on(async {
            assert_eq!(storage.get("a:b/c").await.unwrap(), None);
            storage.set("a:b/c", "v \"1\"").await.unwrap();
            let found = storage.get("a:b/c").await.unwrap();
            assert_eq!(found.as_deref(), Some("v \"1\""), "{name}");
            storage.delete("a:b/c").await.unwrap();
            storage.delete("a:b/c").await.unwrap();
            assert_eq!(storage.get("a:b/c").await.unwrap(), None);
            let error = open("wrong").get("a").await.unwrap_err().to_string();
            assert!(error.ends_with("status 403"), "{error}");
        });
    }
}

#[test]
fn storages_that_this_node_has_not_refuse_the_configuration() {
    for (name, reason) in [
        ("kong", "`config.storage`: this node has no database"),
        ("consul", "`config.storage`: needs a `host` in its settings"),
    ] {
        let built = Bench::new().build(&DEFINITION, with(name, json!({})));
        assert_eq!(built.err().unwrap().to_string(), reason);
    }
}

#[test]
fn accounts_sign_with_keys_of_both_kinds_and_name_them_alike_every_time() {
    for (kind, algorithm) in [(pki::KeyKind::Ecdsa, "EC"), (pki::KeyKind::Rsa2048, "RSA")] {
        let pem = pki::new_key(kind).unwrap();
        let key = AccountKey::from_pem(&pem).unwrap();
        assert_eq!(key.public()["kty"], algorithm);
        let again = AccountKey::from_pem(&pem).unwrap();
        assert_eq!(key.answer("t"), again.answer("t"));
        let signed = key.signed("https://a.test/x", "n", None, "{}").unwrap();
        let signed: Value = serde_json::from_str(&signed).unwrap();
        assert!(!signed["signature"].as_str().unwrap().is_empty());
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
    assert!(AccountKey::from_pem("no key").is_err());
}

/// A server that answers challenges out of a memory.
fn answering(memory: Arc<Memory>) -> Server {
    let storage = Storage::Memory(memory);
    Server::with(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let token = path.rsplit('/').next().unwrap_or_default();
        let text = core().block_on(storage.get(&challenge(token))).unwrap();
        let text = text.unwrap_or_default();
        let length = text.len();
        let head = format!("Connection: close\r\nContent-Length: {length}\r\n");
        format!("HTTP/1.1 200 OK\r\n{head}\r\n{text}").into_bytes()
    })
}

fn public_key(certified: &CertifiedKey) -> Vec<u8> {
    let first = PeerCertificate::from_der(&certified.cert[0]).unwrap();
    first.spki().to_vec()
}

#[test]
fn a_certificate_that_ends_soon_is_renewed_with_its_key_and_serves_on_where_that_fails() {
    let (bench, runtime) = (Bench::new(), core());
    let (memory, trust) = (bench.shared.get::<Memory>(), bench.shared.get::<Trust>());
    let server = answering(Arc::clone(&memory));
    let mut pebble = runtime.block_on(Pebble::start(server.port, None));
    pebble.knows("a.test");
    trust.set(&pki::Roots::from_pem(pebble.trusted().as_bytes()).unwrap());
    let mut config = with("shm", json!({}));
    config["api_uri"] = pebble.directory().into();
    config["cert_type"] = "ecc".into();
    // Every certificate ends soon.
    config["renew_threshold_days"] = 36_500.into();
    let storage = Storage::Memory(memory);
    let instance = Arc::new(Instance {
        config: Config::try_from(&complete(&DEFINITION, config)).unwrap(),
        storage: storage.clone(),
        trust,
    });
    let keeper = || {
        let keeper = Arc::<Keeper>::default();
        keeper.serve(&instance).unwrap();
        keeper
    };
    let first = keeper();
    let obtained = runtime.block_on(eventually("a certificate", async || first.find("a.test")));
    let renewed = LocalSet::new().block_on(
        &runtime,
        eventually("another certificate", async || {
            first.round();
            let found = first.find("a.test")?;
            (found.cert != obtained.cert).then_some(found)
        }),
    );
    assert_eq!(public_key(&renewed), public_key(&obtained));
    // After a restart, while the authority is away.
    runtime.block_on(pebble.stop());
    let second = keeper();
    let found = runtime.block_on(eventually("that of before", async || second.find("a.test")));
    assert_eq!(public_key(&found), public_key(&obtained));
    let left_alone = runtime.block_on(storage.get(&backoff("a.test"))).unwrap();
    assert!(left_alone.is_some());
}

#[test]
fn violations_name_their_fields() {
    let config = json!({
        "account_email": "a", "rsa_key_size": 1024, "cert_type": "dsa", "storage": "disk",
        "domains": ["a*b"], "storage_config": {"redis": {"namespace": "kong_acme:cert_key:x"}},
    });
    let found = violations(&DEFINITION, config).join("\n");
    for field in [
        "account_email",
        "rsa_key_size",
        "cert_type",
        "storage",
        "domains",
    ] {
        assert!(found.contains(field), "{field}: {found}");
    }
}
