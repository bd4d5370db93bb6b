//! The reusable value types: what they accept and the words they refuse with.

use gatehouse_schema::Validator;
use gatehouse_schema::validators::{
    AddressKind, cookie_name, header_name, host, host_with_optional_port, host_with_wildcard,
    hostname_no_port, ip_or_cidr, normalise_path, parse_address, parse_url, path, router_path, sni,
    tag, url, utf8_name, wildcard_host,
};
use serde_json::json;

fn refuses(validator: Validator, cases: &[(&str, &str)]) {
    for (text, message) in cases {
        assert_eq!(
            validator(&json!(text)),
            Err((*message).to_owned()),
            "{text}"
        );
    }
}

fn accepts(validator: Validator, cases: &[&str]) {
    for text in cases {
        assert_eq!(validator(&json!(text)), Ok(()), "{text}");
    }
}

#[test]
fn hosts_have_no_port() {
    accepts(
        host,
        &[
            "a",
            "a.test",
            "a_b.test",
            "-a.test",
            "1.2.3.4",
            "::1",
            "[::1]",
            "UPPER.test",
        ],
    );
    refuses(
        host,
        &[
            ("a b", "invalid value: a b"),
            ("a..b", "invalid value: a..b"),
            ("http://a", "invalid value: http://a"),
            ("1.2.3.999", "invalid value: 1.2.3.999"),
            ("a:80", "must not have a port"),
            ("a:99999", "must not have a port"),
            ("[::1]:80", "must not have a port"),
        ],
    );
}

#[test]
fn hosts_of_routes_may_have_a_port_and_a_wildcard() {
    accepts(
        host_with_optional_port,
        &["a.test", "a.test:80", "1.2.3.4:80", "[::1]:80"],
    );
    refuses(host_with_optional_port, &[("a b", "invalid hostname: a b")]);
    accepts(host_with_wildcard, &["*.a.test", "a.*", "*.a.test:80"]);
}

#[test]
fn server_names_are_names() {
    accepts(sni, &["a.test", "a"]);
    refuses(
        sni,
        &[
            ("1.2.3.4", "must not be an IP"),
            ("a:80", "must not have a port"),
            ("a b", "invalid value: a b"),
        ],
    );
    accepts(wildcard_host, &["*.a.test", "a.*", "a.test", "*"]);
    refuses(
        wildcard_host,
        &[
            ("a.*.b", "wildcard must be leftmost or rightmost character"),
            ("*.*", "only one wildcard must be specified"),
            ("1.2.3.4", "must not be an IP"),
            ("*.x:80", "must not have a port"),
        ],
    );
}

#[test]
fn names_of_upstreams_say_what_is_wrong() {
    accepts(hostname_no_port, &["u1.test", "u"]);
    refuses(
        hostname_no_port,
        &[
            ("a:80", "Invalid name ('a:80'); no port allowed"),
            (
                "1.2.3.4",
                "Invalid name ('1.2.3.4'); no ip addresses allowed",
            ),
            ("a b", "Invalid name ('a b'); must be a valid hostname"),
        ],
    );
}

#[test]
fn addresses_are_taken_apart_and_put_in_normal_form() {
    let normal = |text: &str| parse_address(text).map(|parts| parts.with_port(8000));
    assert_eq!(normal("host.test"), Ok("host.test:8000".to_owned()));
    assert_eq!(normal("a:0"), Ok("a:0".to_owned()));
    let long = "[0000:0000:0000:0000:0000:0000:0000:0001]";
    assert_eq!(normal("::1"), Ok(format!("{long}:8000")));
    assert_eq!(normal("[::1]:81"), Ok(format!("{long}:81")));
    assert_eq!(
        parse_address("::1").map(|parts| parts.kind),
        Ok(AddressKind::Ipv6)
    );
    for text in [
        "",
        "a b",
        "a:b",
        "a:99999",
        "1.2.3.4.5:80",
        "[::1",
        "http://a.test",
        ":80",
        "[",
    ] {
        assert!(parse_address(text).is_err(), "{text}");
    }
}

#[test]
fn blocks_have_as_many_bits_as_their_address() {
    accepts(
        ip_or_cidr,
        &["1.2.3.4", "10.0.0.0/8", "::1", "fe80::/10", "0.0.0.0/0"],
    );
    for text in [
        "x",
        "300.1.1.1",
        "1.1.1.1/33",
        "::/129",
        "1.1.1.1/",
        "1.1.1.1/+8",
        "1.1.1.1/-1",
    ] {
        assert_eq!(
            ip_or_cidr(&json!(text)),
            Err(format!("invalid ip or cidr range: '{text}'"))
        );
    }
}

#[test]
fn paths_hold_what_a_request_line_holds() {
    accepts(path, &["/", "/a-b_c.d~e/%20", "/a;b=c,d:@!$&'()*+"]);
    refuses(
        path,
        &[
            (
                "/a b",
                "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)",
            ),
            ("/%zz", "invalid url-encoded value: '%zz'"),
            ("/a%2", "invalid url-encoded value: '%2'"),
        ],
    );
}

#[test]
fn paths_of_routes_are_in_normal_form_or_expressions() {
    accepts(
        router_path,
        &[
            "/",
            "/a b",
            "/ü",
            "/re(gex)?",
            "/a%2Fb",
            "~/a(?<x>\\d+)$",
            "~/a/../b",
        ],
    );
    refuses(
        router_path,
        &[
            ("/a/../b", "non-normalized path, consider use '/b' instead"),
            ("/a/./b", "non-normalized path, consider use '/a/b' instead"),
            ("/%C3%BC", "non-normalized path, consider use '/ü' instead"),
            (
                "/a%2fb",
                "non-normalized path, consider use '/a%2Fb' instead",
            ),
            ("/%zz", "invalid url-encoded value: '%zz'"),
            (
                "~/(",
                "invalid regex: '/(' (PCRE returned: pcre2_compile() failed: missing closing \
                 parenthesis in \"/(\")",
            ),
            (
                "~/[a",
                "invalid regex: '/[a' (PCRE returned: pcre2_compile() failed: missing \
                 terminating ] for character class in \"/[a\")",
            ),
        ],
    );
}

#[test]
fn normal_form_is_stable() {
    for text in [
        "/a/b/../../..",
        "//a///b/",
        "/a/.",
        "/%7e%2f%41",
        "/.hidden",
        "/a..b",
        "/%FF",
    ] {
        let once = normalise_path(text);
        assert_eq!(normalise_path(&once), once, "{text}");
    }
    assert_eq!(normalise_path("/a/b/.."), "/a/");
    assert_eq!(normalise_path("/.hidden"), "/.hidden");
    assert_eq!(normalise_path("//a///b/"), "/a/b/");
}

#[test]
fn urls_need_host_and_scheme() {
    accepts(
        url,
        &[
            "http://a",
            "https://u:p@a.test:8443/x?y=z#f",
            "http://[::1]:80/",
        ],
    );
    refuses(
        url,
        &[
            ("x", "missing host in url"),
            ("http://", "missing host in url"),
            ("//a", "missing scheme in url"),
        ],
    );
    let parts = parse_url("https://u:p@a.test:8443/x/y?z#f");
    assert_eq!(parts.scheme.as_deref(), Some("https"));
    assert_eq!(parts.host.as_deref(), Some("a.test"));
    assert_eq!(parts.port.as_deref(), Some("8443"));
    assert_eq!(parts.path.as_deref(), Some("/x/y"));
    assert_eq!(parts.userinfo.as_deref(), Some("u:p"));
    assert_eq!(parse_url("http://[::1]/").host.as_deref(), Some("::1"));
}

#[test]
fn names_and_tags_are_printable() {
    accepts(utf8_name, &["a-b_c.d~e", "héllo", "☃"]);
    accepts(tag, &["a b", "héllo", "k8s:x", "!#$%&'()*+-."]);
    accepts(header_name, &["x-a", "X_B"]);
    accepts(cookie_name, &["ck", "a-b"]);
    refuses(
        utf8_name,
        &[(
            "a b",
            "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, \
             _, and ~",
        )],
    );
    refuses(
        tag,
        &[(
            "a,b",
            "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 \
             sequences",
        )],
    );
    assert!(tag(&json!("a\nb")).is_err());
    assert!(cookie_name(&json!("a b")).is_err());
    assert!(cookie_name(&json!("a\"")).is_err());
    assert!(header_name(&json!("a:b")).is_err());
}
