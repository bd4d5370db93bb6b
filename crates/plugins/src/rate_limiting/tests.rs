//! Facts about `rate-limiting`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plugin_api::{BuildError, Handler, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use super::counters::{Counters, NAME_BYTES_MAX};
use super::period::Period;
use crate::testing::{ALICE, ANON, Bench, NOW_MS, Request, complete, violations};

#[test]
fn defaults_are_filled_in() {
    let config = complete(&DEFINITION, json!({ "minute": 5 }));
    let expected = json!({
        "second": null, "minute": 5, "hour": null, "day": null, "month": null, "year": null,
        "limit_by": "consumer", "header_name": null, "path": null, "policy": "local",
        "fault_tolerant": true,
        "redis": {
            "host": null, "port": 6379, "timeout": 2000, "username": null, "password": null,
            "database": 0, "ssl": false, "ssl_verify": false, "server_name": null,
        },
        "hide_client_headers": false, "error_code": 429,
        "error_message": "API rate limit exceeded", "sync_rate": -1,
    });
    assert_eq!(Value::Object(config), expected);
}

#[test]
fn each_violation_names_its_field() {
    let check = |config, expected: &[&str]| assert_eq!(violations(&DEFINITION, config), expected);
    let positive = "value must be greater than 0";
    for period in Period::ALL {
        let field = period.field();
        check(json!({ field: 0 }), &[&format!("{field}: {positive}")]);
        check(
            json!({ field: "x" }),
            &[&format!("{field}: expected a number")],
        );
    }
    check(
        json!({ "minute": 5, "bogus": 1 }),
        &["bogus: unknown field"],
    );
    check(
        json!({ "minute": 5, "error_code": 0 }),
        &["error_code: value must be greater than 0"],
    );
    check(
        json!({ "minute": 5, "policy": "bogus" }),
        &["policy: expected one of: local, cluster, redis, shared"],
    );
    check(
        json!({ "minute": 5, "limit_by": "bogus" }),
        &["limit_by: expected one of: consumer, credential, ip, service, header, path"],
    );
    check(
        json!({ "minute": 5, "redis": { "port": 70000, "host": "a b" } }),
        &[
            "redis.host: invalid value: a b",
            "redis.port: value should be between 0 and 65535",
        ],
    );
    check(
        json!({ "minute": 5, "path": "x" }),
        &["path: should start with: /"],
    );
}

#[test]
fn a_choice_needs_what_it_refers_to() {
    let check = |config, expected: &[&str]| assert_eq!(violations(&DEFINITION, config), expected);
    let periods = "'config.second', 'config.minute', 'config.hour', 'config.day', \
                   'config.month', 'config.year'";
    check(
        json!({}),
        &[&format!(
            ": at least one of these fields must be non-empty: {periods}"
        )],
    );
    let failed = |field: &str| {
        format!(": failed conditional validation given value of field 'config.{field}'")
    };
    check(
        json!({ "minute": 5, "policy": "redis" }),
        &[&failed("policy"), "redis.host: required field missing"],
    );
    check(
        json!({ "minute": 5, "limit_by": "header" }),
        &[&failed("limit_by"), "header_name: required field missing"],
    );
    check(
        json!({ "minute": 5, "limit_by": "path" }),
        &[&failed("limit_by"), "path: required field missing"],
    );
}

#[test]
fn limits_and_exchange_rate_must_be_consistent() {
    let check = |config, text: &str| {
        let found = violations(&DEFINITION, config);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(text), "{found:?}");
    };
    check(
        json!({ "minute": 10, "hour": 5 }),
        "The limit for hour(5.0) cannot be lower than the limit for minute(10.0)",
    );
    check(
        json!({ "second": 10, "minute": 5, "hour": 1 }),
        "The limit for minute(5.0) cannot be lower than the limit for second(10.0)",
    );
    check(
        json!({ "minute": 5, "sync_rate": 0.01 }),
        "sync_rate can only be used with the redis policy",
    );
    let redis = json!({ "host": "h.test" });
    check(
        json!({ "minute": 5, "policy": "redis", "redis": redis, "sync_rate": 0.01 }),
        "sync_rate must be greater than 0.02, or -1 to disable",
    );
    let fine = json!({ "minute": 5, "policy": "redis", "redis": redis, "sync_rate": 0.02 });
    assert!(violations(&DEFINITION, fine).is_empty());
    assert!(violations(&DEFINITION, json!({ "minute": 5, "hour": 5 })).is_empty());
}

#[test]
fn old_names_of_redis_settings_move_into_their_record() {
    let config = complete(
        &DEFINITION,
        json!({ "minute": 5, "redis_host": "r.test", "redis_port": 1234, "redis_database": 2 }),
    );
    assert_eq!(config["redis"]["host"], "r.test");
    assert_eq!(config["redis"]["port"], 1234);
    assert_eq!(config["redis"]["database"], 2);
}

struct Limiter {
    bench: Bench,
    handler: Arc<dyn Handler>,
}

impl Limiter {
    fn new(config: Value) -> Self {
        let mut bench = Bench::new();
        let handler = bench.handler(&DEFINITION, config);
        Self { bench, handler }
    }

    /// Runs a request; gives the status, 200 if it passed.
    fn run(&self, request: &mut Request) -> u16 {
        let reply = request.access(&self.bench, self.handler.as_ref());
        reply.map_or(200, |reply| reply.status)
    }

    fn statuses<const N: usize>(&self, requests: [Request; N]) -> [u16; N] {
        requests.map(|mut request| self.run(&mut request))
    }
}

#[test]
fn requests_pass_up_to_the_limit_and_then_are_refused() {
    let limiter = Limiter::new(json!({ "minute": 3 }));
    let again = || Request::get("/");
    assert_eq!(
        limiter.statuses([again(), again(), again(), again(), again()]),
        [200, 200, 200, 429, 429]
    );
    assert_eq!(limiter.run(&mut again().with_ip("127.0.0.7")), 200);
}

#[test]
fn the_client_learns_what_is_left_of_every_limit() {
    let limiter = Limiter::new(json!({ "minute": 3, "hour": 4 }));
    let mut headers = Vec::new();
    for _ in 0..4 {
        let mut request = Request::get("/");
        limiter.run(&mut request);
        headers.push(request.answer_headers().join(", "));
    }
    insta::assert_debug_snapshot!(headers, @r#"
    [
        "X-RateLimit-Limit-Minute: 3, X-RateLimit-Remaining-Minute: 2, X-RateLimit-Limit-Hour: 4, X-RateLimit-Remaining-Hour: 3, RateLimit-Limit: 3, RateLimit-Remaining: 2, RateLimit-Reset: 30",
        "X-RateLimit-Limit-Minute: 3, X-RateLimit-Remaining-Minute: 1, X-RateLimit-Limit-Hour: 4, X-RateLimit-Remaining-Hour: 2, RateLimit-Limit: 3, RateLimit-Remaining: 1, RateLimit-Reset: 30",
        "X-RateLimit-Limit-Minute: 3, X-RateLimit-Remaining-Minute: 0, X-RateLimit-Limit-Hour: 4, X-RateLimit-Remaining-Hour: 1, RateLimit-Limit: 3, RateLimit-Remaining: 0, RateLimit-Reset: 30",
        "X-RateLimit-Limit-Minute: 3, X-RateLimit-Remaining-Minute: 0, X-RateLimit-Limit-Hour: 4, X-RateLimit-Remaining-Hour: 1, RateLimit-Limit: 3, RateLimit-Remaining: 0, RateLimit-Reset: 30, Retry-After: 30",
    ]
    "#);
}

#[test]
fn of_equally_tight_limits_the_longer_period_is_told() {
    let limiter = Limiter::new(json!({ "hour": 5, "day": 5 }));
    let mut request = Request::get("/");
    limiter.run(&mut request);
    let headers = request.answer_headers();
    // From 23:59:30.5 the day has thirty seconds left.
    assert!(
        headers.contains(&"RateLimit-Reset: 30".to_owned()),
        "{headers:?}"
    );
    let limiter = Limiter::new(json!({ "minute": 5, "year": 5 }));
    let mut request = Request::get("/");
    limiter.run(&mut request);
    let reset = 365 * 86_400 - (30 * 86_400 + 86_370);
    let expected = format!("RateLimit-Reset: {reset}");
    assert!(request.answer_headers().contains(&expected));
}

#[test]
fn a_month_of_more_than_thirty_days_ends_in_at_least_one_second() {
    let limiter = Limiter::new(json!({ "month": 2 }));
    let mut request = Request::get("/");
    limiter.run(&mut request);
    let headers = request.answer_headers();
    assert!(
        headers.contains(&"RateLimit-Reset: 1".to_owned()),
        "{headers:?}"
    );
}

#[test]
fn a_limit_may_have_a_fraction() {
    let limiter = Limiter::new(json!({ "hour": 1.5 }));
    let mut told = Vec::new();
    for _ in 0..3 {
        let mut request = Request::get("/");
        let status = limiter.run(&mut request);
        let headers = request.answer_headers();
        told.push((status, headers[0].clone(), headers[1].clone()));
    }
    let line = |status, left: &str| {
        let name = "X-RateLimit-Remaining-Hour";
        (
            status,
            "X-RateLimit-Limit-Hour: 1.5".to_owned(),
            format!("{name}: {left}"),
        )
    };
    assert_eq!(told, [line(200, "0.5"), line(200, "0"), line(429, "0")]);
}

#[test]
fn a_refusal_says_what_is_configured() {
    let config = json!({ "hour": 1, "error_code": 403, "error_message": "slow down" });
    let limiter = Limiter::new(config);
    limiter.run(&mut Request::get("/"));
    let mut request = Request::get("/");
    let reply = request
        .access(&limiter.bench, limiter.handler.as_ref())
        .unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body, ReplyBody::Message("slow down".into()));
}

#[test]
fn hidden_headers_are_absent_from_answers_and_refusals() {
    let limiter = Limiter::new(json!({ "hour": 1, "hide_client_headers": true }));
    for status in [200, 429] {
        let mut request = Request::get("/");
        assert_eq!(limiter.run(&mut request), status);
        assert!(request.answer_headers().is_empty());
    }
}

#[test]
fn a_caller_is_what_the_configuration_says() {
    let bench = Bench::new();
    let plain = || Request::get("/");
    let far = || plain().with_ip("127.0.0.7");
    let check = |config, requests, statuses: [u16; 4]| {
        assert_eq!(Limiter::new(config).statuses(requests), statuses);
    };
    let hour = |by: &str| json!({ "hour": 1, "limit_by": by });
    check(
        hour("ip"),
        [plain(), plain(), far(), far()],
        [200, 429, 200, 429],
    );
    check(
        hour("service"),
        [plain(), far(), plain(), far()],
        [200, 429, 429, 429],
    );
    let alice = || Request::get("/").known_as(&bench, ALICE);
    let anon = || Request::get("/").known_as(&bench, ANON);
    check(
        hour("consumer"),
        [alice(), alice().with_ip("127.0.0.7"), anon(), plain()],
        [200, 429, 200, 200],
    );
    // Without a credential the address counts, also that of a known consumer.
    check(
        hour("credential"),
        [alice(), plain(), far(), anon()],
        [200, 429, 200, 429],
    );
    let with = |value| Request::new("GET", "/", &[("X-K", value)]);
    check(
        json!({ "hour": 1, "limit_by": "header", "header_name": "x-k" }),
        [with("1"), with("1"), with("2"), plain()],
        [200, 429, 200, 200],
    );
    let lim = || Request::get("/lim");
    check(
        json!({ "hour": 1, "limit_by": "path", "path": "/lim" }),
        [
            lim(),
            lim().with_ip("127.0.0.7"),
            Request::get("/lim/x"),
            plain(),
        ],
        [200, 429, 200, 429],
    );
}

#[test]
fn a_request_without_service_counts_by_address() {
    let limiter = Limiter::new(json!({ "hour": 1, "limit_by": "service" }));
    let without = |ip: &str| {
        let mut request = Request::get("/").with_ip(ip);
        request.service = None;
        request
    };
    let requests = [
        without("127.0.0.1"),
        without("127.0.0.1"),
        without("127.0.0.7"),
    ];
    assert_eq!(limiter.statuses(requests), [200, 429, 200]);
}

#[test]
fn windows_begin_and_end_with_the_calendar() {
    // NOW_MS is 2026-01-31 23:59:30.500 UTC; half a minute later a new month begins.
    let later = NOW_MS + 29_500;
    for field in ["minute", "hour", "day", "month"] {
        let limiter = Limiter::new(json!({ field: 1 }));
        let at = |now| Request::get("/").at(now);
        let statuses = limiter.statuses([at(NOW_MS), at(later - 1), at(later)]);
        assert_eq!(statuses, [200, 429, 200], "{field}");
    }
    let limiter = Limiter::new(json!({ "year": 1 }));
    let at = |now| Request::get("/").at(now);
    assert_eq!(limiter.statuses([at(NOW_MS), at(later)]), [200, 429]);
    let limiter = Limiter::new(json!({ "second": 1 }));
    let statuses = limiter.statuses([at(NOW_MS), at(NOW_MS + 499), at(NOW_MS + 500)]);
    assert_eq!(statuses, [200, 429, 200]);
}

#[test]
fn starts_of_calendar_windows_are_those_of_the_calendar() {
    let ms = |text| clock::parse_rfc3339_millis(text).unwrap();
    for (period, now, start) in [
        (
            Period::Month,
            "2024-02-29T12:00:00Z",
            "2024-02-01T00:00:00Z",
        ),
        (
            Period::Month,
            "2024-03-01T00:00:00Z",
            "2024-03-01T00:00:00Z",
        ),
        (
            Period::Month,
            "2100-03-01T00:00:00Z",
            "2100-03-01T00:00:00Z",
        ),
        (
            Period::Month,
            "2400-02-29T00:00:00Z",
            "2400-02-01T00:00:00Z",
        ),
        (
            Period::Year,
            "2024-12-31T23:59:59.999Z",
            "2024-01-01T00:00:00Z",
        ),
        (Period::Year, "2400-12-31T00:00:00Z", "2400-01-01T00:00:00Z"),
        (Period::Year, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        (
            Period::Day,
            "2026-01-31T23:59:30.5Z",
            "2026-01-31T00:00:00Z",
        ),
    ] {
        assert_eq!(period.start_ms(ms(now)), ms(start), "{period:?} {now}");
    }
}

#[test]
fn instances_with_the_same_scope_share_their_counters_over_configurations() {
    let mut bench = Bench::new();
    for status in [200, 429] {
        let handler = bench.handler(&DEFINITION, json!({ "hour": 1 }));
        let reply = Request::get("/").access(&bench, handler.as_ref());
        assert_eq!(reply.map_or(200, |reply| reply.status), status);
    }
}

#[test]
fn a_refused_request_is_not_counted_in_any_period() {
    let limiter = Limiter::new(json!({ "second": 1, "minute": 2 }));
    let at = |now| Request::get("/").at(now);
    let next = NOW_MS + 500;
    let statuses = limiter.statuses([at(NOW_MS), at(NOW_MS), at(NOW_MS), at(next), at(next)]);
    assert_eq!(statuses, [200, 429, 429, 200, 429]);
}

#[test]
fn a_limit_is_exact_however_many_threads_ask() {
    let counters = Counters::default();
    let passed = [const { AtomicU64::new(0) }; 4];
    let limits = [(Period::Minute, 1000.0), (Period::Hour, 5000.0)];
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (counters, passed, limits) = (&counters, &passed, &limits);
            scope.spawn(move || {
                for n in 0..4000 {
                    let caller = (n + thread) % 4;
                    let name = [u8::try_from(caller).unwrap()];
                    let usage = counters.take(&[0; 32], &name, limits, NOW_MS);
                    if usage.exceeded.is_none() {
                        let index = usize::try_from(caller).unwrap();
                        passed[index].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let passed = passed.map(|count| count.load(Ordering::Relaxed));
    assert_eq!(passed, [1000; 4]);
}

#[test]
fn a_core_whose_clock_lags_counts_into_the_open_window() {
    let counters = Counters::default();
    let limits = [(Period::Second, 1.0)];
    let take = |now| {
        counters
            .take(&[0; 32], b"a", &limits, now)
            .exceeded
            .is_none()
    };
    assert!(take(10_000));
    assert!(!take(9_990));
    assert!(!take(10_900));
    assert!(take(11_000));
    // A clock set back by more than a window starts afresh.
    assert!(take(5_000));
    assert!(!take(5_001));
}

#[test]
fn callers_beyond_the_limit_are_forgotten_not_hoarded() {
    let counters = Counters::with_capacity(640);
    let limits = [(Period::Year, 1.0)];
    for n in 0..10_000_u32 {
        counters.take(&[0; 32], &n.to_be_bytes(), &limits, NOW_MS);
    }
    assert!(counters.len() <= 640, "{}", counters.len());
}

#[test]
fn callers_whose_windows_are_over_make_room() {
    let counters = Counters::with_capacity(64_000);
    let limits = [(Period::Second, 1.0)];
    for n in 0..20_000_u32 {
        let now = NOW_MS + u64::from(n) * 10;
        counters.take(&[0; 32], &n.to_be_bytes(), &limits, now);
    }
    // A hundred callers a second are alive at a time; 64 a shard are not worth a search.
    assert!(counters.len() <= 64 * 130, "{}", counters.len());
}

#[test]
fn long_names_of_callers_stay_apart() {
    let counters = Counters::default();
    let limits = [(Period::Year, 1.0)];
    let take = |name: &[u8]| {
        counters
            .take(&[0; 32], name, &limits, NOW_MS)
            .exceeded
            .is_none()
    };
    let mut long = vec![b'x'; NAME_BYTES_MAX + 1];
    assert!(take(&long));
    assert!(!take(&long));
    long[NAME_BYTES_MAX] = b'y';
    assert!(take(&long));
    long.push(b'y');
    assert!(take(&long));
    assert!(take(&long[..NAME_BYTES_MAX]));
}

#[test]
fn the_cluster_policy_is_refused_by_a_node() {
    let mut bench = Bench::new();
    let config = json!({ "minute": 5, "policy": "cluster" });
    match bench.build(&DEFINITION, config) {
        Err(BuildError::Config { field, reason }) => {
            assert_eq!(field, "policy");
            assert!(
                reason.starts_with("expected one of: local, redis"),
                "{reason}"
            );
        }
        Err(other) => panic!("another refusal: {other}"),
        Ok(_) => panic!("it was built"),
    }
}

#[test]
fn an_error_code_that_is_no_status_is_replaced_and_said() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "hour": 1, "error_code": 9000 }));
    assert_eq!(bench.notices.len(), 1);
    Request::get("/").access(&bench, handler.as_ref());
    let reply = Request::get("/").access(&bench, handler.as_ref()).unwrap();
    assert_eq!(reply.status, 429);
}
