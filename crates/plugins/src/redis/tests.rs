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
