//! Nothing reported ever wins; what people get wrong is found.

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, proptest},
    prop_assert_ne,
};

use super::{PatternRisk, Shadow, pattern_risk};
use crate::{
    Flavor,
    tests::{
        agreement::{one_route, request},
        compile, naive, route, strings,
    },
};

fn shadows(routes: &[entities::Route]) -> Vec<(usize, usize)> {
    let found = compile(routes, Flavor::TraditionalCompatible).shadows();
    found
        .into_iter()
        .map(|Shadow { route, by }| (route, by))
        .collect()
}

fn with_paths(number: u64, paths: &[&str]) -> entities::Route {
    let mut route = route(number);
    route.paths = strings(paths);
    route
}

#[test]
fn of_two_equal_routes_one_never_wins() {
    let routes = [with_paths(1, &["/a"]), with_paths(2, &["/a"])];
    assert_eq!(shadows(&routes), [(0, 1)], "the greater id goes first");
}

#[test]
fn a_pattern_that_goes_before_plain_paths_hides_them() {
    for pattern in ["~/api", "~/api/.*", "~/api/?", "~/ap(i.*)?"] {
        let routes = [with_paths(1, &[pattern]), with_paths(2, &["/api/v1"])];
        assert_eq!(shadows(&routes), [(1, 0)], "{pattern}");
    }
    for pattern in ["~/api$", "~/api/v\\d", "~/apis", "~/api/\\b", "~/x|/api"] {
        let routes = [with_paths(1, &[pattern]), with_paths(2, &["/api/v1"])];
        assert_eq!(shadows(&routes), [], "{pattern}");
    }
}

#[test]
fn one_open_path_or_condition_keeps_a_route() {
    let routes = [with_paths(1, &["~/a"]), with_paths(2, &["/a/b", "/b"])];
    assert_eq!(shadows(&routes), []);
    let mut narrow = with_paths(2, &["/a/b"]);
    let mut wide = with_paths(1, &["~/a"]);
    wide.methods = strings(&["GET"]);
    narrow.methods = strings(&["GET", "POST"]);
    assert_eq!(shadows(&[wide.clone(), narrow.clone()]), []);
    narrow.methods = strings(&["GET"]);
    assert_eq!(shadows(&[wide, narrow]), [(1, 0)]);
}

#[test]
fn wildcards_and_blocks_are_compared() {
    let mut wide = with_paths(1, &["~/a"]);
    let mut narrow = with_paths(2, &["/a"]);
    wide.hosts = strings(&["*.example.org", "other.org"]);
    narrow.hosts = strings(&["a.example.org", "*.b.example.org"]);
    narrow.regex_priority = 0;
    // A route with plain hosts alone goes first; both have wildcards.
    assert_eq!(shadows(&[wide.clone(), narrow.clone()]), [(1, 0)]);
    narrow.hosts.push("c.org".to_owned());
    assert_eq!(shadows(&[wide, narrow]), []);
}

/// Shadows in the traditional flavor, by position.
fn traditional(routes: &[entities::Route]) -> Vec<(usize, usize)> {
    let found = compile(routes, Flavor::Traditional).shadows();
    found.iter().map(|one| (one.route, one.by)).collect()
}

#[test]
fn in_the_traditional_flavor_equal_conditions_hide_a_route() {
    for paths in [&["/a"][..], &["~/a/\\d+"], &["/b", "/a"]] {
        let mut later = with_paths(2, &["/a", "/b", "~/a/\\d+"]);
        let mut earlier = with_paths(1, paths);
        (earlier.created_at, later.created_at) = (1, 2);
        assert_eq!(
            traditional(&[earlier.clone(), later.clone()]),
            [],
            "{paths:?}"
        );
        later.paths = strings(paths);
        later.paths.reverse();
        assert_eq!(traditional(&[earlier.clone(), later.clone()]), [(1, 0)]);
        assert_eq!(traditional(&[later, earlier]), [(0, 1)]);
    }
}

#[test]
fn in_the_traditional_flavor_nothing_else_is_judged() {
    let wide = with_paths(1, &["~/a"]);
    assert_eq!(traditional(&[wide.clone(), with_paths(2, &["/a/b"])]), []);
    let mut other = with_paths(2, &["~/a"]);
    other.methods = strings(&["GET"]);
    assert_eq!(traditional(&[wide.clone(), other.clone()]), []);
    let mut third = wide;
    third.hosts = strings(&["a.test"]);
    other.methods = Vec::new();
    other.hosts = strings(&["*.test"]);
    assert_eq!(traditional(&[third, other]), []);
}

#[test]
fn patterns_that_may_explode_or_are_not_known_are_found() {
    for pattern in [
        "/(a+)+$",
        "/(?:[a-z]*[0-9]*)*x",
        "/((\\w+)\\s?)*y",
        "/(a|b+)*c",
        "/(x{2,})+",
    ] {
        assert!(
            matches!(pattern_risk(pattern), Some(PatternRisk::Backtracks(_))),
            "{pattern}: {:?}",
            pattern_risk(pattern)
        );
    }
    for pattern in ["/a(?=b)", "/(a)\\1", "/(", "/a{1000}{1000}"] {
        assert!(
            matches!(pattern_risk(pattern), Some(PatternRisk::NotAccepted(_))),
            "{pattern}"
        );
    }
    for pattern in [
        "/a+",
        "/(\\d+\\.)+x",
        "/v\\d+/[^/]+$",
        "/(a|b)*",
        "/(ab)?(cd)*",
        "/.*",
    ] {
        assert_eq!(pattern_risk(pattern), None, "{pattern}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_route_reported_as_shadowed_never_wins(
        routes in vec(one_route(), 2..16),
        requests in vec(request(), 1..60),
    ) {
        let router = compile(&routes, Flavor::TraditionalCompatible);
        for shadow in router.shadows() {
            for request in &requests {
                let fields = request.fields();
                let won = naive::find(&router, &request.query(&fields));
                let won = won.map(|won| won.route);
                prop_assert_ne!(won, Some(shadow.route), "{:?} {:?}", shadow, request);
            }
        }
    }
}
