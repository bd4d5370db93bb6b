//! Facts about frames, descriptions and JSON.

use std::path::Path;

use super::{Frames, MESSAGE, Protos, frame};

#[test]
fn messages_come_out_as_they_went_in_however_they_are_cut() {
    let bytes = [
        frame(MESSAGE, b"one"),
        frame(MESSAGE, b""),
        frame(MESSAGE, b"two"),
    ]
    .concat();
    for cut in 0..bytes.len() {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for piece in [&bytes[..cut], &bytes[cut..]] {
            frames.push(piece);
            while let Some(message) = frames.next().unwrap() {
                found.push(message);
            }
        }
        assert_eq!(found, ["one", "", "two"]);
        assert!(frames.is_empty());
    }
}

#[test]
fn a_message_that_is_compressed_or_too_long_is_refused() {
    let mut frames = Frames::default();
    frames.push(&frame(1, b"zip"));
    assert_eq!(frames.next(), Err("a message is compressed"));
    let mut frames = Frames::default();
    frames.push(&[0, 0xff, 0, 0, 0, 1]);
    assert_eq!(frames.next(), Err("a message is too long"));
}

#[test]
fn a_file_that_is_missing_or_broken_is_told_with_its_place() {
    let missing = Protos::load(Path::new("/nowhere/a.proto")).unwrap_err();
    assert!(missing.contains("/nowhere/a.proto"), "{missing}");
    let name = format!("gatehouse-{}.proto", uuid::Uuid::new_v4());
    let path = std::env::temp_dir().join(name);
    std::fs::write(
        &path,
        "syntax = \"proto3\";\nmessage A { no_such b = 1; }\n",
    )
    .unwrap();
    let broken = Protos::load(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(broken.contains("no_such"), "{broken}");
}
