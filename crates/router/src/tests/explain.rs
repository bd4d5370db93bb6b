//! What is told about routes is what happened to them.

use super::{agreement, compile, oracle, query, route, strings};
use crate::{Flavor, Verdict};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, prop_oneof, proptest},
    prop_assert, prop_assert_eq,
};

#[test]
fn nothing_is_said_to_match_a_path_that_is_no_text() {
    let mut any = route(1);
    any.paths = strings(&["/"]);
    let router = compile(&[any], Flavor::default());
    let mut unreadable = query("a.test", "", &());
    unreadable.path = b"/\xff";
    let (told, _) = router.explain(&unreadable, 10);
    let Verdict::Fails(unmet) = &told[0].verdict else {
        unreachable!("it does not match")
    };
    assert_eq!(unmet[0].field, "paths");
}

#[test]
fn each_unmet_condition_is_named() {
    let mut wanted = route(1);
    wanted.hosts = strings(&["a.test"]);
    wanted.paths = strings(&["/a"]);
    wanted.methods = strings(&["POST"]);
    wanted.headers = vec![("X-Team".to_owned(), strings(&["core"]))];
    let mut any = route(2);
    any.paths = strings(&["/"]);
    let router = compile(&[wanted, any], Flavor::default());
    let (told, total) = router.explain(&query("b.test", "/b", &()), 10);
    assert_eq!(total, 2);
    assert_eq!((told[0].route, &told[0].verdict), (1, &Verdict::Wins));
    let Verdict::Fails(unmet) = &told[1].verdict else {
        unreachable!("it does not match")
    };
    let reasons: Vec<_> = unmet
        .iter()
        .map(|own| (own.field, own.reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("hosts", "none fits `b.test` with port 8000"),
            ("paths", "none fits `/b`"),
            ("methods", "`GET` is not listed"),
            ("headers", "`x-team` is missing"),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_one_that_wins_is_told_first(
        routes in vec(prop_oneof![agreement::one_route(), oracle::expression_route()], 1..12),
        requests in vec(agreement::request(), 1..12),
    ) {
        for flavor in [Flavor::Traditional, Flavor::TraditionalCompatible, Flavor::Expressions] {
            let router = compile(&routes, flavor);
            for request in &requests {
                let fields = request.fields();
                let query = request.query(&fields);
                let found = router.find(&query).map(|found| found.route);
                let (told, _) = router.explain(&query, 100);
                let wins = told.iter().filter(|own| own.verdict == Verdict::Wins);
                prop_assert_eq!(wins.count(), usize::from(found.is_some()));
                if found.is_some() {
                    prop_assert_eq!(Some(told[0].route), found);
                    prop_assert_eq!(&told[0].verdict, &Verdict::Wins);
                }
                let is_left = told.iter().any(|own| own.verdict == Verdict::Later);
                prop_assert!(found.is_some() || !is_left || flavor == Flavor::Traditional);
            }
        }
    }
}
