//! Input that wants to break something.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fixture::{BOTH, Dialect, Fixture, Kept};

/// Long enough that only a hang gets there.
const HANGS: Duration = Duration::from_secs(20);
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let body = vec![b' '; (10 << 20) + 1];
    let answer = fixture.raw("POST", "services", &[JSON], body).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("413 Request Entity Too Large"));
    let limit = fixture
        .raw("POST", "services", &[JSON], vec![b' '; 10 << 20])
        .await;
    assert_eq!(limit.status, 400);
}

/// Only what makes a body too large is sent, so an answer shows that nobody waits for the rest.
#[tokio::test]
async fn a_body_of_100_mb_is_refused_before_it_is_there() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let url = fixture.url("services");
    let address = url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/services").unwrap();
    let head = "POST /services HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n";
    let declared = format!("{head}Content-Length: 100000000\r\n\r\n");
    let streamed = format!("{head}Transfer-Encoding: chunked\r\n\r\n5f5e100\r\n");
    for (head, sent) in [(declared, 0), (streamed, (10 << 20) + 1)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; sent]).await.unwrap();
        let mut status = [0; 12];
        let answer = stream.read_exact(&mut status);
        timeout(HANGS, answer).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 413", "{head}");
    }
}

#[tokio::test]
async fn depth_is_limited_in_every_kind_of_body() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let answer = fixture.raw("POST", "services", &[JSON], body).await;
        assert_eq!(answer.status, 400, "{open}");
    }
    let nested = format!(
        "{{\"host\":\"h\",\"tags\":{}{}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    let answer = fixture.raw("POST", "services", &[JSON], nested).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(2)));
    for step in [".a", "[a]", "[]", "[1]"] {
        let form = format!("host=h&x{}=1", step.repeat(100_000));
        let answer = fixture.form("POST", "services", &form).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &json!(2)),
            "{step}"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_never_get_in() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let said = "invalid utf-8 character sequence detected at position";
    for (body, fields) in [
        (
            &b"{\"host\":\"a\",\"name\":\"b\xff\"}"[..],
            json!({"name": format!("{said} 2")}),
        ),
        (
            b"{\"host\":\"a\",\"tags\":[\"x\",\"\xff\"]}",
            json!({"tags": [null, format!("{said} 1")]}),
        ),
        (
            b"{\"host\":\"a\",\"client_certificate\":{\"id\":\"\xe2\x82\"}}",
            json!({"client_certificate": {"id": format!("{said} 1")}}),
        ),
    ] {
        let answer = fixture.raw("POST", "services", &[JSON], body).await;
        assert_eq!((answer.status, &answer.json()["fields"]), (400, &fields));
    }
    let broken_name = b"{\"host\":\"a\",\"\xff\":1}".to_vec();
    let answer = fixture.raw("POST", "services", &[JSON], broken_name).await;
    let unreadable = json!({"message": "Cannot parse JSON body"});
    assert_eq!((answer.status, answer.json()), (400, unreadable));
    let list = fixture
        .raw("POST", "key-sets", &[JSON], "[{\"a\":1}]")
        .await;
    assert_eq!(list.json()["fields"], json!(["unknown field"]));
    assert_eq!(
        list.json()["message"],
        "schema violation (1: unknown field)"
    );
    let nul = json!({"host": "a", "tags": ["a\u{0}b"]});
    assert_eq!(fixture.send("POST", "services", &nul).await.status, 400);
    let surrogate = r#"{"host":"a","name":"\ud800"}"#;
    assert_eq!(
        fixture
            .raw("POST", "services", &[JSON], surrogate)
            .await
            .status,
        400
    );
    assert_eq!(
        fixture
            .form("POST", "services", "host=a&name=%ff")
            .await
            .status,
        201
    );
    let listed = fixture.get("services").await.json();
    assert_eq!(listed["data"][0]["name"], "\u{fffd}");
    let nul = fixture.get("services/a%00b").await;
    assert_eq!((nul.status, nul.header("server")), (400, None));
    assert_eq!(fixture.get("services/%ff").await.status, 404);
    assert_eq!(
        fixture
            .send("PUT", "services/%c3%28", &json!({"host": "a"}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn huge_numbers_are_refused_by_their_rule() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for number in [
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1e300",
        "-0.5",
    ] {
        let body = format!("{{\"host\":\"h\",\"port\":{number}}}");
        let answer = fixture.raw("POST", "services", &[JSON], body).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &json!(2)),
            "{number}"
        );
        let form = format!("host=h&port={number}");
        assert_eq!(
            fixture.form("POST", "services", &form).await.status,
            400,
            "{number}"
        );
    }
    let infinite = r#"{"host":"h","port":1e400}"#;
    assert_eq!(
        fixture
            .raw("POST", "services", &[JSON], infinite)
            .await
            .status,
        400
    );
}

/// Every store in every dialect.
fn everywhere() -> Vec<(Kept, Dialect)> {
    let all = Kept::both().into_iter();
    all.flat_map(|kept| BOTH.map(|dialect| (kept.clone(), dialect)))
        .collect()
}

#[tokio::test]
async fn paths_and_tags_are_data_and_nothing_else() {
    for (kept, dialect) in everywhere() {
        paths_and_tags(&Fixture::on(&kept, dialect).await, dialect).await;
    }
}

async fn paths_and_tags(fixture: &Fixture, dialect: Dialect) {
    fixture
        .create("consumers", json!({"username": "ann", "tags": ["t"]}))
        .await;
    for name in [
        "..%2F..%2Fetc%2Fpasswd",
        "'%20OR%201=1%20--",
        "%22%3B%20DROP%20TABLE%20entities%3B",
        "%25",
        "%2e%2e",
        "*",
        "_",
        "%7Bid%7D",
    ] {
        assert_eq!(
            fixture.get(&format!("consumers/{name}")).await.status,
            404,
            "{name}"
        );
        if dialect == Dialect::Gateway {
            let tag = fixture.get(&format!("tags/x{name}")).await;
            assert!([200, 400].contains(&tag.status), "{name}: {}", tag.status);
        }
        let tagged = fixture.get(&format!("consumers?tags={name}")).await;
        if tagged.status == 200 {
            assert_eq!(tagged.json()["data"], json!([]), "{name}");
        }
        let put = fixture
            .send("PUT", &format!("consumers/{name}"), &json!({}))
            .await;
        assert_eq!(put.status, 200, "{name}");
        let read = fixture.get(&format!("consumers/{name}")).await.json();
        assert_eq!(read["id"], put.json()["id"], "{name}");
    }
    assert_eq!(fixture.get("consumers/ann").await.status, 200);
    for path in ["../services", "services/../consumers", "./services"] {
        let answer = fixture.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn another_control_plane_cannot_be_named_by_a_body_or_query() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let body = json!({"host": "h", "control_plane": "x"});
    let answer = fixture
        .send("POST", "services?control_plane=x&ws_id=y", &body)
        .await;
    assert_eq!(
        answer.json()["fields"],
        json!({"control_plane": "unknown field"})
    );
}

#[tokio::test]
async fn of_many_writers_on_one_name_exactly_one_wins() {
    for (kept, dialect) in everywhere() {
        let fixture = &Fixture::on(&kept, dialect).await;
        let write = async |number: usize| {
            let body = json!({"name": "one", "host": format!("h{number}")});
            fixture.send("POST", "services", &body).await.status
        };
        let (a, b, c, d) = tokio::join!(write(1), write(2), write(3), write(4));
        let mut statuses = vec![a, b, c, d];
        statuses.sort_unstable();
        let refused = match dialect {
            Dialect::Gateway => 409,
            Dialect::Core => 400,
        };
        let expected = [201, refused, refused, refused];
        assert_eq!(statuses, expected, "{kept:?} {dialect:?}");
        let listed = fixture.get("services").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{kept:?}");
    }
}

#[tokio::test]
async fn of_many_who_put_one_name_all_succeed_on_one_entity() {
    for (kept, dialect) in everywhere() {
        let fixture = &Fixture::on(&kept, dialect).await;
        let write = async |number: usize| {
            let body = json!({"host": format!("h{number}")});
            let answer = fixture.send("PUT", "services/one", &body).await;
            assert_eq!(
                answer.status,
                200,
                "{kept:?} {dialect:?}: {}",
                answer.text()
            );
            answer.json()["id"].clone()
        };
        let (a, b, c, d) = tokio::join!(write(1), write(2), write(3), write(4));
        assert!(a == b && b == c && c == d, "{kept:?} {dialect:?}");
        let listed = fixture.get("services").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{kept:?}");
    }
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    for kept in Kept::both() {
        let fixture = &Fixture::on(&kept, Dialect::Gateway).await;
        fixture
            .create("services", json!({"name": "s", "host": "h"}))
            .await;
        let members = ["port", "retries", "read_timeout", "write_timeout"];
        let change = async |at: usize| {
            let body = json!({ members[at]: at + 1 });
            fixture.send("PATCH", "services/s", &body).await.status
        };
        let all = tokio::join!(change(0), change(1), change(2), change(3));
        assert_eq!(all, (200, 200, 200, 200), "{kept:?}");
        let service = fixture.get("services/s").await.json();
        for (at, member) in members.iter().enumerate() {
            assert_eq!(service[*member], json!(at + 1), "{kept:?} {member}");
        }
    }
}

#[tokio::test]
async fn one_server_name_for_two_certificates_at_once_goes_to_one() {
    for kept in Kept::both() {
        let fixture = &Fixture::on(&kept, Dialect::Gateway).await;
        let mut body = super::fixture::certificate();
        body["snis"] = json!(["a.test"]);
        let write = async || fixture.send("POST", "certificates", &body).await.status;
        let (a, b, c) = tokio::join!(write(), write(), write());
        let won = [a, b, c].into_iter().filter(|status| *status == 201);
        assert_eq!(won.count(), 1, "{kept:?} {a} {b} {c}");
        let listed = fixture.get("certificates").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{kept:?}");
    }
}

#[tokio::test]
async fn a_thousand_parts_and_repeated_names_end() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let mut form = "host=h".to_owned();
    for number in 0..999 {
        let _ = write!(form, "&tags[]=t{number}");
    }
    assert_eq!(fixture.form("POST", "services", &form).await.status, 201);
    let part = "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    let body = format!("{}--X--", part.repeat(1001));
    let kind = [("content-type", "multipart/form-data; boundary=X")];
    let answer = fixture.raw("POST", "services", &kind, body).await;
    let expected = json!({"message": "Too many arguments"});
    assert_eq!((answer.status, answer.json()), (400, expected));
}
