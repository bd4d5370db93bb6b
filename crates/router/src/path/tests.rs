use std::borrow::Cow;

use entities::PathHandling;
use proptest::{
    collection::vec, prelude::ProptestConfig, prop_assert, prop_assert_eq, sample::select,
};

use super::{escape_into, normalise_path, upstream_path};
use crate::BadPath;

fn normal(path: &str) -> Result<String, BadPath> {
    let mut scratch = Vec::new();
    let path = normalise_path(path.as_bytes(), &mut scratch)?;
    Ok(String::from_utf8_lossy(&path).into_owned())
}

#[test]
fn paths_take_their_normal_form() {
    for (path, expected) in [
        ("/", "/"),
        ("//", "/"),
        ("///a", "/a"),
        ("/a//b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/b/../../c", "/c"),
        ("/a//../b", "/b"),
        ("/.hidden", "/.hidden"),
        ("/...", "/..."),
        ("/a/..b", "/a/..b"),
        ("/%2e/a", "/a"),
        ("/a/%2E%2e/b", "/b"),
        ("/a%2f..%2Fb", "/a%2F..%2Fb"),
        ("/%41%7e", "/A~"),
        ("/a%20b%3f", "/a b%3F"),
        ("/%25%2525", "/%25%2525"),
        ("/%C3%A9", "/é"),
        ("/a%0ab", "/a\nb"),
    ] {
        assert_eq!(normal(path).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn bad_paths_are_refused() {
    for (path, expected) in [
        ("", BadPath::NotAbsolute),
        ("*", BadPath::NotAbsolute),
        ("a/b", BadPath::NotAbsolute),
        ("/..", BadPath::AboveRoot),
        ("/../a", BadPath::AboveRoot),
        ("/a/../../b", BadPath::AboveRoot),
        ("/%2E%2e/a", BadPath::AboveRoot),
        ("/a%", BadPath::Escape),
        ("/a%2", BadPath::Escape),
        ("/a%zz", BadPath::Escape),
        ("/a%00", BadPath::Nul),
        ("/a\0", BadPath::Nul),
    ] {
        assert_eq!(normal(path), Err(expected), "{path:?}");
    }
}

#[test]
fn path_in_normal_form_is_borrowed() {
    let mut scratch = Vec::new();
    let path = b"/users/12/posts.json";
    let normal = normalise_path(path, &mut scratch).unwrap();
    assert!(matches!(normal, Cow::Borrowed(same) if std::ptr::eq(same, path)));
}

#[test]
fn unsafe_bytes_are_escaped_and_escapes_stay() {
    let mut out = Vec::new();
    escape_into("/a b{}|\\^`\"<>é%2F!$&'()*+,;=:@[]#?~".as_bytes(), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "/a%20b%7B%7D%7C%5C%5E%60%22%3C%3E%C3%A9%2F!$&'()*+,;=:@[]#?~"
    );
}

#[test]
fn dot_segments_that_stripping_bares_are_removed() {
    for (request, matched, expected) in [
        ("/a../b", 2, "/svc/b"),
        ("/a./b", 2, "/svc/b"),
        ("/a..", 2, "/svc"),
        ("/a.b", 2, "/svc/.b"),
    ] {
        let mut out = Vec::new();
        upstream_path(
            "/svc",
            request.as_bytes(),
            matched,
            true,
            PathHandling::V0,
            &mut out,
        );
        assert_eq!(out, expected.as_bytes(), "{request}");
    }
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn normal_form_is_stable_and_holds_no_dot_segment(
        parts in vec(select(&["/", "a", ".", "..", "%2e", "%2F", "%41", "%25", "é", "b"]), 0..20),
    ) {
        let path = format!("/{}", parts.concat());
        if let Ok(once) = normal(&path) {
            prop_assert!(once.starts_with('/'));
            prop_assert!(!once.contains("//"));
            prop_assert!(once[1..].split('/').all(|segment| segment != "." && segment != ".."));
            prop_assert_eq!(normal(&once), Ok(once));
        }
    }
}
