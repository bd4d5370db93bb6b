//! Facts about talking to Redis.

use std::sync::Arc;

use schema::Reader;
use serde_json::{Map, Value as Json, json};

use super::reply::{Parsed, parse};
use super::server::Server;
use super::{Redis, RedisError, Script, Settings, Value};
use crate::outcall::Trust;
use crate::testing::core;

fn settings(record: Json) -> Settings {
    let mut config = Map::new();
    config.insert("redis".to_owned(), record);
    Settings::read(&Reader::new("plugins", &config))
        .unwrap()
        .unwrap()
}

fn redis(record: Json) -> Redis {
    Redis::new(settings(record), Arc::<Trust>::default())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn answers_are_read_whole_in_parts_or_not_at_all() {
    let list = b"*3\r\n:1\r\n$2\r\nab\r\n$-1\r\n";
    let whole = Value::List(vec![
        Value::Number(1),
        Value::Text(b"ab".to_vec()),
        Value::Nothing,
    ]);
    assert_eq!(parse(list), Parsed::Whole(whole.clone(), list.len()));
    for end in 0..list.len() {
        assert_eq!(parse(&list[..end]), Parsed::Partial, "{end}");
    }
    assert_eq!(
        parse(b"-ERR no\r\nx"),
        Parsed::Whole(Value::Error("ERR no".to_owned()), 9)
    );
    for odd in [
        &b"?1\r\n"[..],
        b":x\r\n",
        b"$3\r\nabcd\r\n",
        b"$-2\r\n",
        b"*9999999999\r\n",
    ] {
        assert_eq!(parse(odd), Parsed::Malformed, "{odd:?}");
    }
    let deep = b"*1\r\n".repeat(20);
    assert_eq!(parse(&deep), Parsed::Malformed);
    assert_eq!(
        Value::List(vec![Value::Nothing, Value::Text(b"7".to_vec())]).numbers(),
        Some(vec![0, 7])
    );
    assert_eq!(whole.numbers(), None);
}

#[test]
fn nothing_shows_the_password() {
    let settings = settings(json!({"host": "h", "username": "u", "password": "geheim"}));
    let shown = format!("{settings:?} {}", settings.place);
    assert!(!shown.contains("geheim"), "{shown}");
    let redis = Redis::new(settings, Arc::default());
    assert!(!format!("{redis:?}").contains("geheim"));
}

#[test]
fn scripts_run_by_name_once_they_are_known() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let redis = redis(json!({"host": "localhost", "port": server.port, "database": 3}));
    let script = Script::new("return {redis.call('INCR', KEYS[1]), ARGV[1]}");
    core().block_on(async {
        for count in 1..=3 {
            let answer = redis
                .script(&script, &["k".to_owned()], &["9".to_owned()])
                .await;
            assert_eq!(answer.unwrap().numbers(), Some(vec![count, 9]));
        }
        let refused = redis.command(&words("NOSUCH x")).await;
        assert!(
            matches!(refused, Err(RedisError::Refused(_))),
            "{refused:?}"
        );
        assert_eq!(
            redis.command(&words("GET k")).await.unwrap().numbers(),
            Some(vec![3])
        );
    });
}

#[test]
fn who_may_not_enter_is_told_without_the_password() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else {
        return;
    };
    core().block_on(async {
        let good = redis(json!({"host": "127.0.0.1", "port": server.port, "password": "right"}));
        assert!(good.command(&words("PING")).await.is_ok());
        let wrong = json!({"host": "127.0.0.1", "port": server.port, "password": "geheim"});
        let error = redis(wrong)
            .command(&words("PING"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("WRONGPASS") && !error.contains("geheim"),
            "{error}"
        );
    });
}

#[test]
fn a_server_that_is_away_is_left_alone_and_found_again() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let redis = redis(json!({"host": "127.0.0.1", "port": server.port}));
    core().block_on(async {
        assert!(redis.command(&words("PING")).await.is_ok());
        server.stop();
        let gone = redis.command(&words("PING")).await;
        assert!(matches!(gone, Err(RedisError::Io(_))), "{gone:?}");
        let paused = redis.command(&words("PING")).await;
        assert!(matches!(paused, Err(RedisError::Away)), "{paused:?}");
        server.run();
        let mut is_back = false;
        for _ in 0..200 {
            is_back = redis.command(&words("PING")).await.is_ok();
            if is_back {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(is_back);
    });
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let redis = redis(json!({"host": "127.0.0.1", "port": port, "timeout": 50}));
    core().block_on(async {
        let answer = redis.command(&words("PING")).await;
        assert!(matches!(answer, Err(RedisError::Timeout)), "{answer:?}");
    });
}

/// A server that speaks TLS alone, with a certificate for `redis.test`, and whom to trust for it.
fn tls_server(more: &[&str]) -> Option<(Server, pki::Roots, test_support::TempDir)> {
    let folder = test_support::TempDir::new("redis");
    let authority = pki::Authority::create("redis").unwrap();
    let issued = authority.issue_server(&["redis.test"]).unwrap();
    let (cert, key) = (folder.join("redis.crt"), folder.join("redis.key"));
    std::fs::write(&cert, issued.cert_pem).unwrap();
    std::fs::write(&key, issued.key_pem).unwrap();
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let mut arguments = vec![
        "--port",
        "0",
        "--tls-port",
        "PORT",
        "--tls-cert-file",
        &cert,
    ];
    arguments.extend(["--tls-key-file", &key, "--tls-auth-clients", "no"]);
    arguments.extend(["--tls-ca-cert-file", &cert]);
    arguments.extend(more);
    let roots = pki::Roots::from_pem(authority.ca_pem().as_bytes()).unwrap();
    Some((Server::start(&arguments)?, roots, folder))
}

/// Who may enter by name only.
const GATE: [&str; 9] = [
    "--user", "default", "off", "--user", "gate", "on", ">geheim", "~*", "+@all",
];

#[test]
fn a_server_over_tls_is_verified_where_that_is_wished_and_lets_users_in_by_name() {
    let Some((server, roots, _folder)) = tls_server(&GATE) else {
        return;
    };
    let trust = Arc::<Trust>::default();
    trust.set(&roots);
    let ask = |trust: &Arc<Trust>, more: Json| {
        let mut record = json!({
            "host": "127.0.0.1", "port": server.port, "ssl": true,
            "username": "gate", "password": "geheim",
        });
        for (name, value) in more.as_object().unwrap() {
            record[name] = value.clone();
        }
        let redis = Redis::new(settings(record), Arc::clone(trust));
        let answer = core().block_on(redis.command(&words("PING")));
        answer.map_err(|error| error.to_string())
    };
    let pong = Ok(Value::Text(b"PONG".to_vec()));
    assert_eq!(ask(&trust, json!({})), pong);
    let verified = json!({"ssl_verify": true, "server_name": "redis.test"});
    assert_eq!(ask(&trust, verified.clone()), pong);
    // Another name, somebody nobody trusts, and no TLS at all.
    let other = json!({"ssl_verify": true, "server_name": "other.test"});
    assert!(ask(&trust, other).is_err());
    assert!(ask(&trust, json!({"ssl_verify": true})).is_err());
    assert!(ask(&Arc::default(), verified).is_err());
    assert!(ask(&trust, json!({"ssl": false, "timeout": 500})).is_err());
    for wrong in [
        json!({"username": "other"}),
        json!({"password": "falsch"}),
        json!({"username": null}),
    ] {
        let error = ask(&trust, wrong).unwrap_err();
        assert!(
            error.contains("WRONGPASS") && !error.contains("geheim"),
            "{error}"
        );
    }
}

#[test]
fn both_rate_limits_count_on_a_server_over_tls() {
    let Some((server, roots, _folder)) = tls_server(&GATE) else {
        return;
    };
    let mut bench = crate::testing::Bench::new();
    bench.shared.get::<Trust>().set(&roots);
    let record = json!({
        "host": "127.0.0.1", "port": server.port, "ssl": true, "ssl_verify": true,
        "server_name": "redis.test", "username": "gate", "password": "geheim",
    });
    let common = json!({"policy": "redis", "redis": record, "fault_tolerant": false});
    let limits = [
        (&crate::rate_limiting::DEFINITION, "year", json!(1), None),
        (
            &crate::response_ratelimiting::DEFINITION,
            "limits",
            json!({"sms": {"year": 1}}),
            None,
        ),
        // The second request of the year.
        (
            &crate::rate_limiting::DEFINITION,
            "year",
            json!(1),
            Some(429),
        ),
    ];
    core().block_on(async {
        for (definition, name, limit, status) in limits {
            let mut config = common.clone();
            config[name] = limit;
            let handler = bench.handler(definition, config);
            let mut request = crate::testing::Request::get("/");
            let reply = request.access_on_core(&bench, &*handler).await;
            let found = reply.map(|reply| reply.status);
            assert_eq!(found, status, "{}", definition.name);
        }
    });
}
