//! Facts about `file-log`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, violations};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(clock::new_uuid().to_string());
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The records of a file, once there are that many.
fn records(path: &Path, count: usize) -> Vec<Value> {
    for _ in 0..1000 {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= count && text.ends_with('\n') {
            let parse = |line| serde_json::from_str(line).unwrap();
            return text.lines().map(parse).collect();
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("{count} records in {}", path.display());
}

#[test]
fn each_request_becomes_a_line() {
    let folder = Folder::new();
    let path = folder.0.join("a.log");
    let mut bench = Bench::new();
    let config = json!({"path": path, "custom_fields_by_lua": {"added": "return 'v'"}});
    let handler = bench.handler(&DEFINITION, config);
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
    }
    let found = records(&path, 2);
    assert_eq!(found[0]["request"]["uri"], "/one");
    assert_eq!(
        (&found[1]["request"]["uri"], &found[1]["added"]),
        (&json!("/two"), &json!("v"))
    );
}

#[test]
fn a_file_that_was_moved_away_is_made_anew_with_reopen() {
    let folder = Folder::new();
    let path = folder.0.join("a.log");
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"path": path, "reopen": true}));
    Request::get("/one").log(&bench, &*handler, &outcome());
    records(&path, 1);
    std::fs::rename(&path, folder.0.join("old.log")).unwrap();
    Request::get("/two").log(&bench, &*handler, &outcome());
    assert_eq!(records(&path, 1)[0]["request"]["uri"], "/two");
}

#[test]
fn a_file_that_cannot_be_written_does_not_stop_others() {
    let folder = Folder::new();
    let path = folder.0.join("a.log");
    let mut bench = Bench::new();
    let bad = bench.handler(&DEFINITION, json!({"path": folder.0}));
    let good = bench.handler(&DEFINITION, json!({ "path": path }));
    Request::get("/").log(&bench, &*bad, &outcome());
    Request::get("/").log(&bench, &*good, &outcome());
    assert_eq!(records(&path, 1).len(), 1);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({})),
        ["path: required field missing"]
    );
    assert_eq!(
        violations(&DEFINITION, json!({"path": "a*"})),
        ["path: not a valid filename"]
    );
}
