//! Limits that all nodes of a control plane have together, without Redis.

use gatehouse_tests::{create, publish, until_status};
use serde_json::json;
use test_support::{Backend, Client, Node, Quickstart};

const LIMIT: usize = 40;

/// How many of some requests pass.
async fn passed(node: &Node, path: &str, requests: usize) -> usize {
    let mut passed = 0;
    for _ in 0..requests {
        let answer = Client::new().get(&node.url(path)).await;
        let answer = answer.expect("an answer");
        assert!(
            matches!(answer.status, 200 | 429),
            "{}: {}",
            answer.status,
            answer.text()
        );
        passed += usize::from(answer.status == 200);
    }
    passed
}

#[tokio::test]
async fn nodes_never_let_more_pass_than_the_limit_with_the_platform_away_and_back() {
    let mut quickstart = Quickstart::empty().await;
    let backend = Backend::start("one").await;
    for name in ["even", "uneven", "alone"] {
        let route = json!({"name": name, "paths": [format!("/{name}")]});
        let (_, route) = publish(&quickstart, name, backend.port(), route).await;
        let body = json!({"name": "rate-limiting", "route": {"id": route},
            "config": {"year": LIMIT, "policy": "shared", "limit_by": "ip"}});
        create(&quickstart, "plugins", &body).await;
    }
    let open = json!({"name": "open", "paths": ["/open"]});
    publish(&quickstart, "open", backend.port(), open).await;
    let mut nodes = [
        Node::joining(&quickstart, &[]),
        Node::joining(&quickstart, &[]),
    ];
    for node in &mut nodes {
        node.ready().await;
        until_status(&Client::new(), &node.url("/open"), 200).await;
    }
    let [one, other] = &nodes;

    let mut even = 0;
    for _ in 0..LIMIT {
        even += passed(one, "/even", 1).await + passed(other, "/even", 1).await;
    }
    let first = passed(other, "/uneven", 1).await;
    let uneven = first + passed(one, "/uneven", LIMIT + 10).await;

    assert_eq!(even, LIMIT, "both ask until nothing is left");
    assert!(uneven <= LIMIT, "{uneven}");
    let lies_unused = LIMIT / 8 + 2;
    assert!(uneven >= LIMIT - lies_unused, "{uneven}");

    quickstart.process().kill().await;
    let parts = [
        passed(one, "/alone", LIMIT).await,
        passed(other, "/alone", LIMIT).await,
    ];
    // The node of the quickstart is the third.
    assert!(parts.iter().sum::<usize>() <= LIMIT, "{parts:?}");
    assert!(parts.iter().all(|part| *part >= LIMIT / 3), "{parts:?}");
    assert_eq!(passed(one, "/even", 5).await, 0);

    // Its counters began anew, and it hears of the nodes what they were granted before.
    quickstart.start_again().await;
    let again = json!({"name": "again", "paths": ["/again"]});
    publish(&quickstart, "again", backend.port(), again).await;
    for node in [one, other] {
        until_status(&Client::new(), &node.url("/again"), 200).await;
    }
    let (mut more_even, mut more_uneven) = (0, 0);
    for _ in 0..LIMIT {
        more_even += passed(one, "/even", 1).await + passed(other, "/even", 1).await;
        more_uneven += passed(one, "/uneven", 1).await + passed(other, "/uneven", 1).await;
    }
    let all = [even + more_even, uneven + more_uneven];
    // Only what goes to one node before another asks for the first time is granted twice.
    assert!(all.iter().all(|all| *all <= LIMIT + LIMIT / 8), "{all:?}");
}
