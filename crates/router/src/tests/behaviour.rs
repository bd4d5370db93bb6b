//! Single facts of matching that no recording covers.

use entities::AddressRule;

use super::{compile, query, route, strings};
use crate::{Flavor, MatchedPath, RouteInput, RouteProblem, Router};

const BOTH: [Flavor; 2] = [Flavor::Traditional, Flavor::TraditionalCompatible];

#[test]
fn route_without_conditions_never_matches() {
    for flavor in BOTH {
        let router = compile(&[route(1)], flavor);
        assert!(router.is_empty());
        assert_eq!(router.find(&query("a.test", "/", &())), None);
    }
}

#[test]
fn router_without_routes_matches_nothing() {
    for flavor in BOTH {
        assert_eq!(compile(&[], flavor).find(&query("a.test", "/", &())), None);
    }
}

#[test]
fn all_problems_of_all_routes_are_reported_with_their_place() {
    let mut first = route(1);
    first.name = Some("look-around".to_owned());
    first.paths = strings(&["/fine", "~/a(?=b)"]);
    first.headers = vec![("X-A".to_owned(), strings(&["~*("]))];
    let mut second = route(2);
    second.name = None;
    second.paths = strings(&["~/(a)\\1"]);
    second.sources = vec![AddressRule {
        ip: Some("10.0.0.0/33".to_owned()),
        port: None,
    }];
    for flavor in BOTH {
        let inputs = [RouteInput { route: &first }, RouteInput { route: &second }];
        let errors = Router::compile(&inputs, flavor).unwrap_err();
        let fields: Vec<_> = errors
            .iter()
            .map(|error| match &error.problem {
                RouteProblem::Pattern { field, .. } | RouteProblem::Address { field, .. } => {
                    (error.route, field.as_str())
                }
                RouteProblem::Expression(_) => (error.route, "expression"),
            })
            .collect();
        assert_eq!(
            fields,
            [
                (0, "headers.x-a"),
                (0, "paths[1]"),
                (1, "sources[0].ip"),
                (1, "paths[0]")
            ]
        );
        let text = errors[1].to_string();
        assert!(text.starts_with("route `look-around` (`"), "{text}");
        assert!(text.contains("look-around, including look-ahead"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        assert!(errors[3].to_string().contains("route `without name`"));
    }
}

#[test]
fn pattern_that_grows_too_large_is_refused() {
    let mut large = route(1);
    large.paths = strings(&["~/(\\w{1000}){1000}"]);
    let errors = Router::compile(&[RouteInput { route: &large }], Flavor::default()).unwrap_err();
    assert!(
        errors[0].to_string().contains("size limit"),
        "{}",
        errors[0]
    );
}

#[test]
fn captures_are_there_by_number_and_name() {
    let mut user = route(1);
    user.paths = strings(&["~/u/(?<user>[^/]+)/p/(\\d+)"]);
    for flavor in BOTH {
        let router = compile(std::slice::from_ref(&user), flavor);
        let path = "/u/bob/p/12/rest";
        let found = router.find(&query("h", path, &())).unwrap();
        assert_eq!(found.stripped_len(), "/u/bob/p/12".len());
        let captures = router.captures(&found, path.as_bytes()).unwrap();
        assert_eq!(captures.name("user").unwrap().as_bytes(), b"bob");
        assert_eq!(captures.get(2).unwrap().as_bytes(), b"12");
        let names: Vec<_> = router.capture_names(&found).collect();
        assert_eq!(names, [None, Some("user"), None]);
    }
}

#[test]
fn plain_paths_have_no_captures() {
    let mut plain = route(1);
    plain.paths = strings(&["/a"]);
    let router = compile(&[plain], Flavor::default());
    let found = router.find(&query("h", "/ab", &())).unwrap();
    assert_eq!(found.path, MatchedPath::Prefix(2));
    assert!(router.captures(&found, b"/ab").is_none());
    assert_eq!(router.capture_names(&found).count(), 0);
}

#[test]
fn path_that_is_no_text_matches_nothing_where_paths_matter() {
    let mut all = route(1);
    all.paths = strings(&["/"]);
    let mut query = query("h", "", &());
    query.path = b"/\xff";
    let compatible = compile(std::slice::from_ref(&all), Flavor::TraditionalCompatible);
    assert_eq!(compatible.find(&query), None);
    assert!(compile(&[all], Flavor::Traditional).find(&query).is_some());
    let mut host = route(2);
    host.hosts = strings(&["h"]);
    assert!(
        compile(&[host], Flavor::TraditionalCompatible)
            .find(&query)
            .is_some()
    );
}

#[test]
fn more_methods_than_bits_are_told_apart() {
    let names: Vec<String> = (0..80_u8)
        .map(|n| {
            format!(
                "M{}{}",
                char::from(b'A' + n / 26),
                char::from(b'A' + n % 26)
            )
        })
        .collect();
    let routes: Vec<_> = (0..)
        .zip(&names)
        .map(|(number, name)| {
            let mut one = route(number);
            one.methods = vec![name.clone()];
            one
        })
        .collect();
    for flavor in BOTH {
        let router = compile(&routes, flavor);
        for (number, name) in names.iter().enumerate() {
            let mut query = query("h", "/", &());
            query.method = name.as_bytes();
            assert_eq!(router.find(&query).map(|found| found.route), Some(number));
        }
        assert_eq!(router.find(&query("h", "/", &())), None);
    }
}

#[test]
fn header_values_are_compared_without_case_and_one_by_one() {
    let mut one = route(1);
    one.headers = vec![("X-Team".to_owned(), strings(&["Core", "edge"]))];
    let mut pattern = route(2);
    pattern.headers = vec![("x-ver".to_owned(), strings(&["~*^V[0-9]$"]))];
    for flavor in BOTH {
        let router = compile(&[one.clone(), pattern.clone()], flavor);
        let ask = |fields: &[(&str, &str)]| {
            let fields = super::Fields(
                fields
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                    .collect(),
            );
            router
                .find(&query("h", "/", &fields))
                .map(|found| found.route)
        };
        assert_eq!(ask(&[("x-team", "CORE")]), Some(0));
        assert_eq!(ask(&[("x-team", "other"), ("X-TEAM", "edge")]), Some(0));
        assert_eq!(ask(&[("x-team", "core,edge")]), None);
        assert_eq!(ask(&[("X-Ver", "V7")]), Some(1));
        assert_eq!(ask(&[("X-Ver", &"v".repeat(400))]), None);
        assert_eq!(ask(&[]), None);
    }
}

#[test]
fn sources_match_by_block_and_port() {
    let mut inner = route(1);
    inner.sources = vec![
        AddressRule {
            ip: Some("10.1.0.0/16".to_owned()),
            port: None,
        },
        AddressRule {
            ip: Some("::1".to_owned()),
            port: Some(40000),
        },
    ];
    inner.paths = strings(&["/"]);
    let router = compile(&[inner], Flavor::default());
    let ask = |ip: &str, port| {
        let mut query = query("h", "/", &());
        query.source = (ip.parse().unwrap(), port);
        router.find(&query).is_some()
    };
    assert!(ask("10.1.255.1", 1));
    assert!(!ask("10.2.0.1", 1));
    assert!(ask("::1", 40000));
    assert!(!ask("::1", 40001));
    assert!(!ask("127.0.0.1", 40000));
}
