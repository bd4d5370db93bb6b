//! Pages, tags and the parameters of lists.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture, Kept, certificate};

async fn with_services(count: usize) -> Fixture {
    fill(Fixture::start(Dialect::Gateway).await, count).await
}

async fn fill(fixture: Fixture, count: usize) -> Fixture {
    for number in 0..count {
        let parity = if number % 2 == 0 { "even" } else { "odd" };
        let body = json!({"name": format!("s{number}"), "host": "h", "tags": ["all", parity]});
        fixture.create("services", body).await;
    }
    fixture
}

/// Walks a list by its `next` links and gives the names.
async fn walk(fixture: &Fixture, first: &str) -> Vec<String> {
    let (mut names, mut path) = (Vec::new(), first.to_owned());
    for _ in 0..100 {
        let page = fixture.get(&path).await.json();
        for row in page["data"].as_array().unwrap() {
            let name = row.get("name").or_else(|| row.get("target")).unwrap();
            names.push(name.as_str().unwrap().to_owned());
        }
        match &page["next"] {
            Value::Null => {
                assert!(page.get("offset").is_none(), "{page}");
                return names;
            }
            next => {
                let next = next.as_str().unwrap();
                assert!(page["offset"].is_string());
                path = next.trim_start_matches('/').to_owned();
            }
        }
    }
    panic!("{first} has no end");
}

#[tokio::test]
async fn every_page_size_walks_over_everything_once() {
    for kept in Kept::both() {
        let fixture = fill(Fixture::on(&kept, Dialect::Gateway).await, 5).await;
        for size in [1, 2, 4, 5, 6, 1000] {
            let mut names = walk(&fixture, &format!("services?size={size}")).await;
            names.sort();
            assert_eq!(names, ["s0", "s1", "s2", "s3", "s4"], "{kept:?} {size}");
        }
    }
}

#[tokio::test]
async fn links_at_the_top_repeat_size_and_tags() {
    let fixture = with_services(4).await;
    let page = fixture.get("services?tags=all,even&size=1").await.json();
    let next = page["next"].as_str().unwrap();
    assert!(next.starts_with("/services?offset="), "{next}");
    assert!(next.ends_with("&tags=all%2Ceven&size=1"), "{next}");
    let mut names = walk(&fixture, "services?tags=all,even&size=1").await;
    names.sort();
    assert_eq!(names, ["s0", "s2"]);
}

#[tokio::test]
async fn links_below_a_parent_repeat_nothing_and_tags_do_not_filter_there() {
    let fixture = with_services(1).await;
    for number in 0..3 {
        let body = json!({"paths": [format!("/{number}")], "name": format!("r{number}")});
        fixture.create("services/s0/routes", body).await;
    }
    let page = fixture
        .get("services/s0/routes?size=2&tags=nothing")
        .await
        .json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    assert!(
        next.starts_with("/services/s0/routes?offset=") && !next.contains('&'),
        "{next}"
    );
    assert_eq!(walk(&fixture, "services/s0/routes?size=1").await.len(), 3);
}

#[tokio::test]
async fn tags_are_all_of_them_or_any_of_them() {
    let fixture = with_services(4).await;
    for (filter, count) in [
        ("all", 4),
        ("odd", 2),
        ("odd,even", 0),
        ("odd/even", 4),
        ("odd/nope", 2),
        ("all,", 4),
        ("nope", 0),
        ("%C3%BC", 0),
    ] {
        let page = fixture.get(&format!("services?tags={filter}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn bad_parameters_are_refused_with_their_codes() {
    let fixture = with_services(0).await;
    let size = |message: &str| json!({"code": 9, "name": "invalid size", "message": message});
    let whole = size("size must be an integer between 1 and 1000");
    let number = size("size must be a number");
    let tags = |message: &str| {
        json!({
            "code": 11,
            "name": "invalid options",
            "message": format!("invalid option (tags: {message})"),
            "options": {"tags": message},
        })
    };
    let offset = |text: &str, why: &str| {
        let message = format!("'{text}' is not a valid offset: {why}");
        json!({"code": 7, "name": "invalid offset", "message": message})
    };
    let syntax = tags("invalid filter syntax");
    for (query, expected) in [
        ("size=0", whole.clone()),
        ("size=-1", whole.clone()),
        ("size=1001", whole.clone()),
        ("size=1.5", whole.clone()),
        ("size=99999999999999999999", whole),
        ("size=x", number.clone()),
        ("size=", number.clone()),
        ("size", number),
        ("tags=a,b/c", syntax.clone()),
        ("tags=,", syntax.clone()),
        ("tags=%ff", syntax.clone()),
        ("tags=a%00", syntax.clone()),
        ("tags=a%0ab", syntax),
        ("tags=", tags("cannot be null")),
        ("tags=a,b,c,d,e,f", tags("cannot query more than 5 tags")),
        ("offset=x", offset("x", "bad base64 encoding")),
        ("offset=", offset("", "bad json encoding")),
    ] {
        let answer = fixture.get(&format!("services?{query}")).await;
        assert_eq!((answer.status, answer.json()), (400, expected), "{query}");
    }
}

#[tokio::test]
async fn a_token_of_something_else_is_the_end() {
    let fixture = with_services(2).await;
    for token in ["Ingi", "WyJ4Il0=", "e30=", "W10=", "MQ=="] {
        let page = fixture.get(&format!("services?offset={token}")).await;
        let expected = json!({"data": [], "next": null});
        assert_eq!((page.status, page.json()), (200, expected), "{token}");
    }
}

#[tokio::test]
async fn more_than_a_thousand_arguments_are_refused() {
    let fixture = with_services(0).await;
    let query = |count| vec!["a=1"; count].join("&");
    assert_eq!(
        fixture
            .get(&format!("services?{}", query(1000)))
            .await
            .status,
        200
    );
    let answer = fixture.get(&format!("services?{}", query(1001))).await;
    let expected = json!({"message": "Too many arguments"});
    assert_eq!((answer.status, answer.json()), (400, expected.clone()));
    let form = fixture.form("POST", "services", &query(1001)).await;
    assert_eq!((form.status, form.json()), (400, expected));
}

#[tokio::test]
async fn targets_come_newest_first_by_position() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    fixture.create("upstreams", json!({"name": "u.test"})).await;
    for number in 1..=4 {
        let body = json!({"target": format!("10.0.0.{number}:80"), "weight": number - 1});
        fixture.create("upstreams/u.test/targets", body).await;
    }
    let expected = ["10.0.0.4:80", "10.0.0.3:80", "10.0.0.2:80", "10.0.0.1:80"];
    let list = "upstreams/u.test/targets";
    assert_eq!(walk(&fixture, list).await, expected);
    let page = fixture.get(&format!("{list}?size=3")).await.json();
    assert_eq!(page["offset"], "3");
    assert_eq!(page["next"], "/upstreams/u.test/targets?offset=3");
    let rest = fixture.get(&format!("{list}?offset=3")).await.json();
    assert_eq!(rest["data"][0]["target"], "10.0.0.1:80");
    let none = fixture.get(&format!("{list}?size=0")).await.json();
    assert_eq!((&none["data"], &none["offset"]), (&json!([]), &json!("0")));
    assert_eq!(fixture.get(&format!("{list}?offset=x")).await.status, 400);
    let mut all = walk(&fixture, &format!("{list}/all?size=1000")).await;
    all.sort();
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn tags_are_listed_with_what_has_them() {
    let fixture = with_services(3).await;
    let page = fixture.get("tags/odd").await.json();
    let rows = page["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["tag"]), (1, &json!("odd")));
    assert_eq!(rows[0]["entity_name"], "services");
    let mut path = "tags?size=2".to_owned();
    let mut count = 0;
    loop {
        let page = fixture.get(&path).await.json();
        count += page["data"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => path = next.trim_start_matches('/').to_owned(),
            None => break,
        }
    }
    assert_eq!(count, 6);
    assert_eq!(
        fixture.get("tags/nope").await.json(),
        json!({"data": [], "next": null})
    );
    let bad = fixture.get("tags/a,b").await.json();
    assert_eq!(
        (&bad["code"], &bad["name"]),
        (&json!(10), &json!("invalid unique tag"))
    );
    let refused = fixture.send("POST", "tags", &json!({})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(2)));
}

#[tokio::test]
async fn consumers_are_found_by_their_own_id() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let ann = json!({"username": "ann", "custom_id": "c 1"});
    fixture.create("consumers", ann).await;
    fixture
        .create("consumers", json!({"username": "bob"}))
        .await;
    for (id, count) in [("c%201", 1), ("c+1", 1), ("c", 0)] {
        let page = fixture
            .get(&format!("consumers?custom_id={id}"))
            .await
            .json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{id}");
    }
    for query in ["custom_id=", "custom_id", "custom_id=a&custom_id=b"] {
        let answer = fixture.get(&format!("consumers?{query}")).await;
        let expected = json!({"message": "custom_id must be an unempty string"});
        assert_eq!((answer.status, answer.json()), (400, expected), "{query}");
    }
}

#[tokio::test]
async fn long_lists_of_certificates_show_their_server_names_too() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let mut body = certificate();
    for number in 0..25 {
        body["snis"] = json!([format!("b{number}.test"), format!("a{number}.test")]);
        fixture.create("certificates", body.clone()).await;
    }
    for size in [3, 25] {
        let page = fixture.get(&format!("certificates?size={size}")).await;
        let page = page.json();
        assert_eq!(page["data"].as_array().unwrap().len(), size);
        for row in page["data"].as_array().unwrap() {
            let item = format!("certificates/{}", row["id"].as_str().unwrap());
            assert_eq!(&fixture.get(&item).await.json(), row);
            assert_eq!(row["snis"].as_array().unwrap().len(), 2);
        }
    }
}
