//! Bodies that are broken before anybody looks at their members, for every kind in both dialects
//! on both stores: what they are answered with, and that nothing is written.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture};
use super::table::{Faults, Row, scenarios, start};

const JSON: &str = "application/json";

/// A body, its type, and the statuses of the gateway's dialect and that of control planes.
type Case = (&'static str, &'static str, fn(&Row) -> Vec<u8>, u16, u16);

fn text(row: &Row) -> Vec<u8> {
    (row.body)().to_string().into_bytes()
}

/// The row's body with one more member, as text.
fn with(row: &Row, member: &str) -> Vec<u8> {
    let body = (row.body)().to_string();
    let inner = body.strip_suffix('}').unwrap();
    format!("{inner},{member}}}").into_bytes()
}

const CASES: &[Case] = &[
    ("half of an object", JSON, |_| b"{".to_vec(), 400, 400),
    ("nothing", JSON, |_| Vec::new(), 400, 400),
    ("a list", JSON, |_| b"[1]".to_vec(), 400, 400),
    ("a text", JSON, |_| b"\"x\"".to_vec(), 400, 400),
    ("a number", JSON, |_| b"5".to_vec(), 400, 400),
    ("null", JSON, |_| b"null".to_vec(), 400, 400),
    ("two objects", JSON, |_| b"{}{}".to_vec(), 400, 400),
    ("a bomb of lists", JSON, |_| vec![b'['; 200_000], 400, 400),
    (
        "a bomb of objects",
        JSON,
        |_| b"{\"a\":".repeat(100_000),
        400,
        400,
    ),
    (
        "bytes that are no UTF-8",
        JSON,
        |_| b"{\"name\":\"\xff\"}".to_vec(),
        400,
        400,
    ),
    (
        "half of a surrogate",
        JSON,
        |row| with(row, r#""x":"\ud800""#),
        400,
        400,
    ),
    (
        "a number beyond all",
        JSON,
        |row| with(row, "\"x\":1e999"),
        400,
        400,
    ),
    (
        "an id that is a number",
        JSON,
        |row| with(row, "\"id\":18446744073709551616"),
        400,
        400,
    ),
    (
        "an id with a NUL",
        JSON,
        |row| with(row, r#""id":"a\u0000b""#),
        400,
        400,
    ),
    (
        "an id that is a path",
        JSON,
        |row| with(row, r#""id":"../../x""#),
        400,
        400,
    ),
    (
        "an unknown member with a NUL",
        JSON,
        |row| with(row, r#""a\u0000b":1"#),
        400,
        400,
    ),
    (
        "a deep value",
        JSON,
        |row| {
            with(
                row,
                &format!("\"x\":{}{}", "[".repeat(100), "]".repeat(100)),
            )
        },
        400,
        400,
    ),
    ("another type", "text/plain", text, 415, 415),
    ("a type in capitals", "APPLICATION/JSON", text, 415, 201),
    ("YAML", "application/yaml", text, 415, 415),
    ("XML", "application/xml", |_| b"<a/>".to_vec(), 415, 415),
];

async fn send(fixture: &Fixture, row: &Row, case: &Case) -> (u16, Value) {
    let (_, kind, body, ..) = case;
    let headers = [("content-type", *kind)];
    let answer = fixture.raw("POST", row.path, &headers, body(row)).await;
    let said = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer.status, said)
}

#[tokio::test]
async fn broken_bodies_are_refused_and_leave_nothing_behind() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        for case in CASES {
            let (name, _, _, gateway, core) = case;
            let expected = match dialect {
                Dialect::Gateway => *gateway,
                Dialect::Core => *core,
            };
            let (status, said) = send(&fixture, row, case).await;
            let at = format!("{kept:?} {dialect:?} {} {name}: {said}", row.path);
            faults.compare(&at, &status, &expected);
            if status == 400 {
                faults.compare(&at, &said["message"].is_string(), &true);
            }
            if dialect == Dialect::Core && status == 400 {
                faults.compare(&at, &said["code"], &json!(3));
            }
        }
        let listed = fixture.get(row.list(dialect)).await.json();
        let left = usize::from(dialect == Dialect::Core);
        let rows = listed["data"].as_array().unwrap();
        faults.compare(
            &format!("{kept:?} {dialect:?} {}", row.path),
            &rows.len(),
            &left,
        );
    }
}

#[tokio::test]
async fn numbers_and_texts_at_the_edges_of_types_are_refused_for_what_they_are() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        for value in [
            "-1e308",
            "1e308",
            "99999999999999999999999999",
            "0.1",
            "true",
            "{}",
            "[[]]",
        ] {
            let body = with(row, &format!("\"id\":{value}"));
            let headers = [("content-type", JSON)];
            let answer = fixture.raw("POST", row.path, &headers, body).await;
            let at = format!(
                "{kept:?} {dialect:?} {} {value}: {}",
                row.path,
                answer.text()
            );
            faults.compare(&at, &answer.status, &400);
            let said = answer.json();
            match dialect {
                Dialect::Gateway => {
                    faults.compare(&at, &said["fields"]["id"], &json!("expected a string"));
                }
                Dialect::Core => {
                    let details = said["details"].as_array().into_iter().flatten();
                    let about = details.into_iter().find(|one| one["field"] == "id");
                    let text = about.map(|about| about["messages"].clone());
                    faults.compare(&at, &text, &Some(json!(["expected a string"])));
                }
            }
        }
    }
}
