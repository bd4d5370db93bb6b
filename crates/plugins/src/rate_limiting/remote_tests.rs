//! Facts about counting in Redis and in the database of nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plugin_api::{Addition, Database, DatabaseError, DatabaseFuture, Handler, Reply};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::DEFINITION;
use super::ledger::Ledgers;
use super::remote::Remote;
use crate::redis::server::Server;
use crate::testing::{Bench, NOW_MS, Request, core};

/// A limit of five an hour, counted in a Redis of the test's own.
fn redis(server: &Server, more: &Value) -> Value {
    let mut config = json!({"hour": 5, "policy": "redis",
        "redis": {"host": "127.0.0.1", "port": server.port, "timeout": 2000}});
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    config
}

async fn status(bench: &Bench, handler: &dyn Handler) -> u16 {
    let reply: Option<Reply> = Request::get("/").access_on_core(bench, handler).await;
    reply.map_or(200, |reply| reply.status)
}

/// The same at this moment, for counters that end at a moment.
async fn status_now(bench: &Bench, handler: &dyn Handler) -> u16 {
    let mut request = Request::get("/").at(clock::unix_millis());
    let reply = request.access_on_core(bench, handler).await;
    reply.map_or(200, |reply| reply.status)
}

#[test]
fn a_limit_in_redis_holds_for_all_nodes_together() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (mut one, mut two) = (Bench::new(), Bench::new());
    let first = one.handler(&DEFINITION, redis(&server, &json!({})));
    let second = two.handler(&DEFINITION, redis(&server, &json!({})));
    core().block_on(async {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(status(&one, &*first).await);
            statuses.push(status(&two, &*second).await);
        }
        assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
        let mut request = Request::get("/");
        request.access_on_core(&one, &*first).await;
        let told = request.answer_headers();
        for line in [
            "RateLimit-Limit: 5",
            "RateLimit-Remaining: 0",
            "Retry-After: 30",
        ] {
            assert!(told.iter().any(|found| found == line), "{line}: {told:?}");
        }
    });
    // The key of the reference, with a time to live.
    let keys = std::process::Command::new("redis-cli")
        .args(["-p", &server.port.to_string(), "--raw", "KEYS", "*"])
        .output();
    let keys = String::from_utf8(keys.unwrap().stdout).unwrap();
    let start = NOW_MS - NOW_MS % 3_600_000;
    let (route, none) = (Uuid::from_u128(crate::testing::ROUTE), Uuid::nil());
    assert_eq!(
        keys.trim(),
        format!("ratelimit:{route}:{none}:127.0.0.1:{start}:hour")
    );
}

#[test]
fn a_limit_in_redis_is_exact_however_many_ask_at_once() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, redis(&server, &json!({"hour": 50})));
    let bench = Arc::new(bench);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (bench, handler) = (Arc::clone(&bench), Arc::clone(&handler));
            std::thread::spawn(move || {
                core().block_on(async {
                    let mut passed = 0;
                    for _ in 0..50 {
                        passed += u32::from(status(&bench, &*handler).await == 200);
                    }
                    passed
                })
            })
        })
        .collect();
    let passed: u32 = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(passed, 50);
}

#[test]
fn while_redis_is_away_requests_pass_or_fail_as_configured() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let (mut tolerant, mut strict) = (Bench::new(), Bench::new());
    let passes = tolerant.handler(&DEFINITION, redis(&server, &json!({})));
    let fails = strict.handler(
        &DEFINITION,
        redis(&server, &json!({"fault_tolerant": false})),
    );
    core().block_on(async {
        assert_eq!(status(&tolerant, &*passes).await, 200);
        assert_eq!(status(&strict, &*fails).await, 200);
        server.stop();
        for _ in 0..20 {
            let mut request = Request::get("/");
            assert_eq!(request.access_on_core(&tolerant, &*passes).await, None);
            // Nothing is known, so nothing is told.
            assert_eq!(request.answer_headers(), [""; 0]);
            assert_eq!(status(&strict, &*fails).await, 500);
        }
        server.run();
        let mut is_back = false;
        for _ in 0..200 {
            is_back = status(&strict, &*fails).await != 500;
            if is_back {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(is_back);
    });
}

#[test]
fn with_a_sync_rate_nodes_learn_of_each_other_with_the_exchange() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let config = |most: u32| {
        redis(
            &server,
            &json!({"hour": null, "year": most, "sync_rate": 0.05}),
        )
    };
    let (mut one, mut two) = (Bench::new(), Bench::new());
    let first = one.handler(&DEFINITION, config(10));
    let second = two.handler(&DEFINITION, config(10));
    core().block_on(async {
        let mut passed = 0;
        for _ in 0..10 {
            passed += u32::from(status_now(&one, &*first).await == 200);
        }
        // A node by itself is exact between exchanges.
        assert_eq!((passed, status_now(&one, &*first).await), (10, 429));
        let mut refused = false;
        let mut more = 0;
        for _ in 0..200 {
            refused = status_now(&two, &*second).await == 429;
            if refused {
                break;
            }
            more += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(refused, "{more} passed");
        // What the other node let pass is what it could not know of yet.
        assert!(more <= 10, "{more} passed");
    });
}

/// Counters in memory, as nodes of one database see them.
#[derive(Debug, Default)]
struct Memory {
    counters: Mutex<HashMap<String, u64>>,
    is_away: Mutex<bool>,
}

impl Database for Memory {
    fn find(
        &self,
        _kind: &'static str,
        _field: &'static str,
        _value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>> {
        Box::pin(async { Ok(None) })
    }

    fn put(&self, _kind: &'static str, _row: Map<String, Value>) -> DatabaseFuture<()> {
        Box::pin(async { Ok(()) })
    }

    fn take(&self, _kind: &'static str, _id: Uuid) -> DatabaseFuture<bool> {
        Box::pin(async { Ok(false) })
    }

    fn delete(&self, _kind: &'static str, _id: Uuid) -> DatabaseFuture<()> {
        Box::pin(async { Ok(()) })
    }

    fn count(&self, additions: Vec<Addition>) -> DatabaseFuture<Vec<u64>> {
        if *self.is_away.lock() {
            return Box::pin(async { Err(DatabaseError("away".to_owned())) });
        }
        let mut counters = self.counters.lock();
        let totals = additions.into_iter().map(|addition| {
            let held = counters.entry(addition.counter).or_default();
            *held += addition.by;
            *held
        });
        let totals: Vec<u64> = totals.collect();
        Box::pin(async move { Ok(totals) })
    }
}

#[test]
fn nodes_of_one_database_bring_their_counts_together() {
    let memory = Arc::new(Memory::default());
    let shared = || Some(Arc::clone(&memory) as Arc<dyn Database>);
    let (mut one, mut two) = (Bench::new(), Bench::new());
    (one.node.database, two.node.database) = (shared(), shared());
    let config = json!({"hour": 3, "policy": "cluster"});
    let first = one.handler(&DEFINITION, config.clone());
    core().block_on(async {
        for expected in [200, 200, 200, 429] {
            assert_eq!(status(&one, &*first).await, expected);
        }
        let database = Remote::Database(Arc::clone(&memory) as Arc<dyn Database>);
        let ledger = one
            .shared
            .get::<Ledgers>()
            .open(&database, Duration::from_secs(1));
        // While the database is away nothing is lost.
        *memory.is_away.lock() = true;
        ledger.exchange().await;
        *memory.is_away.lock() = false;
        ledger.exchange().await;
        ledger.exchange().await;
        let held: Vec<u64> = memory.counters.lock().values().copied().collect();
        assert_eq!(held, [3]);
        // A node that starts now asks first.
        let second = two.handler(&DEFINITION, config);
        assert_eq!(status(&two, &*second).await, 429);
    });
}
