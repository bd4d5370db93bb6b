//! Bodies: JSON, forms and parts, and what they mean.

use serde_json::{Value, json};

use super::fixture::{Dialect, Fixture};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn forms_are_read_by_the_description() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let form = "name=f&host=a.test&port=0x50&retries=3&enabled=false&tags[]=a&tags[]=b&path=";
    let answer = fixture.form("POST", "services", form).await;

    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["port"], json!(80));
    assert_eq!(body["retries"], json!(3));
    assert_eq!(body["enabled"], json!(false));
    assert_eq!(body["tags"], json!(["a", "b"]));
    assert_eq!(body["path"], Value::Null);
}

#[tokio::test]
async fn names_of_a_form_are_paths() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    fixture
        .create("services", json!({"name": "s", "host": "h"}))
        .await;
    let form = "name=http-log&config.http_endpoint=http://a.test/&config.headers[x-a]=1\
                &config.queue.max_batch_size=3&service.name=s&protocols[1]=http&protocols[2]=https";
    let answer = fixture.form("POST", "plugins", form).await;

    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["config"]["headers"], json!({"x-a": "1"}));
    assert_eq!(body["config"]["queue"]["max_batch_size"], json!(3));
    assert_eq!(body["protocols"], json!(["http", "https"]));
    assert!(body["service"]["id"].is_string());
}

#[tokio::test]
async fn what_a_form_cannot_mean_is_refused_by_its_member() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for (form, member, message) in [
        ("host=h&port=x", "port", "expected an integer"),
        ("host=h&port=80.5", "port", "expected an integer"),
        ("host=h&port=inf", "port", "expected an integer"),
        ("host=h&enabled=TRUE", "enabled", "expected a boolean"),
        ("host=h&tags[2]=a&tags[3]=b", "tags", "expected a set"),
        ("host=h&name=a&name=b", "name", "expected a string"),
        ("host=h&name", "name", "expected a string"),
        ("host=h&a.b.c=1", "a", "unknown field"),
        ("host=h&a[b=1", "a[b", "unknown field"),
        ("host=h&.=1", ".", "unknown field"),
    ] {
        let answer = fixture.form("POST", "services", form).await;
        assert_eq!(answer.status, 400, "{form}");
        assert_eq!(
            answer.json()["fields"],
            json!({ member: message }),
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_patch_form_is_read_by_the_plugin_that_is_stored() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let body = json!({"name": "rate-limiting", "config": {"minute": 5, "policy": "local"}});
    let id = fixture.create("plugins", body).await["id"].clone();
    let item = format!("plugins/{}", id.as_str().unwrap());

    let answer = fixture
        .form("PATCH", &item, "config.minute=&config.hour=10")
        .await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["config"]["minute"], Value::Null);
    assert_eq!(answer.json()["config"]["hour"], json!(10));
    assert_eq!(answer.json()["config"]["policy"], "local");
}

#[tokio::test]
async fn parts_are_a_form() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let body = "--XX\r\nContent-Disposition: form-data; name=\"host\"\r\n\r\na.test\r\n\
                --XX\r\nContent-Disposition: form-data; name=\"tags[]\"; filename=\"t\"\r\n\
                Content-Type: text/plain\r\n\r\nx y\r\n--XX\r\n\
                Content-Disposition: form-data; name=port\r\n\r\n81\r\n--XX--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=XX")];
    let answer = fixture.raw("POST", "services", &headers, body).await;

    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["host"], "a.test");
    assert_eq!(answer.json()["port"], json!(81));
    assert_eq!(answer.json()["tags"], json!(["x y"]));
}

#[tokio::test]
async fn broken_parts_are_refused_or_empty_never_more() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let missing = json!({"host": "required field missing"});
    for body in [
        "",
        "--XX",
        "--XX--",
        "--XX\r\n\r\n",
        "--XX\r\nA: b\r\n\r\nc\r\n--XX--",
        "\r\n",
    ] {
        let headers = [("content-type", "multipart/form-data; boundary=XX")];
        let answer = fixture.raw("POST", "services", &headers, body).await;
        assert_eq!(
            (answer.status, &answer.json()["fields"]),
            (400, &missing),
            "{body:?}"
        );
    }
    for kind in ["multipart/form-data", "multipart/form-data; boundary="] {
        let headers = [("content-type", kind)];
        let answer = fixture.raw("POST", "services", &headers, "--\r\n").await;
        assert_eq!(answer.status, 415, "{kind}");
    }
}

#[tokio::test]
async fn types_that_are_not_taken_get_a_page() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let page = "<html>\r\n<head><title>415 Unsupported Media Type</title></head>\r\n<body>\r\n\
                <center><h1>415 Unsupported Media Type</h1></center>\r\n</body>\r\n</html>\r\n";
    for kind in ["text/plain", "APPLICATION/JSON", "application/xml", ""] {
        let headers = [("content-type", kind)];
        let answer = fixture.raw("POST", "services", &headers, "{}").await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (415, page),
            "{kind}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=UTF-8")
        );
    }
    assert_eq!(fixture.raw("POST", "services", &[], "{}").await.status, 415);
    let twice = [JSON, JSON];
    assert_eq!(
        fixture.raw("POST", "services", &twice, "{}").await.status,
        400
    );
}

#[tokio::test]
async fn json_that_is_no_object_is_refused() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    for body in [
        "",
        "{",
        "null",
        "5",
        "\"x\"",
        "{\"host\":\"a\",}",
        "{} x",
        "\u{feff}{}",
    ] {
        let answer = fixture.raw("POST", "services", &[JSON], body).await;
        let expected = json!({"message": "Cannot parse JSON body"});
        assert_eq!((answer.status, answer.json()), (400, expected), "{body}");
    }
    let empty = fixture.raw("POST", "services", &[JSON], "[]").await.json();
    assert_eq!(empty["fields"], json!({"host": "required field missing"}));
    let list = fixture.raw("POST", "services", &[JSON], "[1]").await.json();
    assert_eq!(
        list["fields"],
        json!({"1": "unknown field", "host": "required field missing"})
    );
}

#[tokio::test]
async fn a_query_is_never_part_of_an_entity() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let answer = fixture
        .send("POST", "services?host=q.test", &json!({"name": "q"}))
        .await;
    assert_eq!(
        answer.json()["fields"],
        json!({"host": "required field missing"})
    );
}

#[tokio::test]
async fn checks_below_schemas_write_nothing_and_read_forms_as_texts() {
    let fixture = Fixture::start(Dialect::Gateway).await;
    let good = fixture
        .send("POST", "schemas/services/validate", &json!({"host": "h"}))
        .await;
    let expected = json!({"message": "schema validation successful"});
    assert_eq!((good.status, good.json()), (200, expected));
    let form = fixture
        .form("POST", "schemas/services/validate", "host=h&port=80")
        .await;
    assert_eq!(
        form.json()["fields"],
        json!({"port": "expected an integer"})
    );
    assert_eq!(fixture.get("services").await.json()["data"], json!([]));
    let unknown = fixture
        .send("POST", "schemas/nope/validate", &json!({}))
        .await;
    let expected = json!({"message": "No entity named 'nope'"});
    assert_eq!((unknown.status, unknown.json()), (404, expected));
}
