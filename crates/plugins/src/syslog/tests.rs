//! Facts about `syslog`.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use plugin_api::Outcome;
use serde_json::{Value, json};

use super::DEFINITION;
use super::handler::Syslog;
use super::schema::Config;
use crate::record::CustomFields;
use crate::testing::{Bench, Request, complete, outcome, violations};

/// What is written of answers with these statuses.
fn written(config: Value, statuses: &[u16]) -> Vec<String> {
    let path = std::env::temp_dir().join(clock::new_uuid().to_string());
    let server = UnixDatagram::bind(&path).unwrap();
    server
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let config = Config::try_from(&complete(&DEFINITION, config)).unwrap();
    let handler = Syslog::new(config, CustomFields::default(), path.clone());
    let bench = Bench::new();
    for status in statuses {
        let outcome = Outcome {
            status: *status,
            ..outcome()
        };
        Request::get("/").log(&bench, &handler, &outcome);
    }
    drop(handler);
    let mut found = Vec::new();
    let mut buffer = vec![0; 65_536];
    // The last answer is written in every case and ends the list.
    while found
        .last()
        .is_none_or(|line: &String| !line.contains("\"status\":599"))
    {
        let count = server.recv(&mut buffer).unwrap();
        found.push(String::from_utf8(buffer[..count].to_vec()).unwrap());
    }
    let _ = std::fs::remove_file(path);
    found
}

#[test]
fn records_bear_facility_and_severity() {
    let config = json!({
        "facility": "local0", "log_level": "info", "successful_severity": "notice",
        "client_errors_severity": "warning", "server_errors_severity": "err",
    });
    let found = written(config, &[200, 404, 599]);
    let starts: Vec<_> = found.iter().map(|line| &line[..11]).collect();
    assert_eq!(starts, ["<133>kong: ", "<132>kong: ", "<131>kong: "]);
    assert!(found[0][11..].starts_with("{\"request\":"), "{found:?}");
}

#[test]
fn less_severe_records_are_left_out() {
    let config = json!({"log_level": "err", "server_errors_severity": "crit"});
    assert_eq!(written(config, &[200, 404, 599]).len(), 1);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let found = violations(
        &DEFINITION,
        json!({"facility": "local8", "log_level": "loud"}),
    );
    assert_eq!(found.len(), 2, "{found:?}");
}
