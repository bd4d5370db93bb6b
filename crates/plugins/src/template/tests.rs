//! Facts about templates.

use super::*;

struct Fixed;

impl Scope for Fixed {
    fn header(&self, name: &[u8]) -> Value {
        match name {
            b"token" => Value::text(b"Abc-1"),
            b"n" => Value::text(b"7"),
            _ => Value::Nil,
        }
    }

    fn parameter(&self, name: &[u8]) -> Value {
        match name {
            b"a" => Value::text(b"1"),
            b"flag" => Value::Bool(true),
            _ => Value::Nil,
        }
    }

    fn capture(&self, name: &Value) -> Value {
        match name {
            Value::Number(_) => Value::text(b"first"),
            Value::Text(name) if name.as_ref() == b"id" => Value::text(b"42"),
            _ => Value::Nil,
        }
    }
}

fn render(text: &str) -> Result<String, TemplateError> {
    let rendered = Template::parse(text)?.render(&Fixed)?;
    Ok(String::from_utf8(rendered.to_vec()).unwrap())
}

#[test]
fn texts_without_expressions_stay_as_they_are() {
    for text in ["", "plain", "$ and (x)", "cost: 5$"] {
        assert_eq!(render(text).unwrap(), text);
    }
}

#[test]
fn expressions_are_computed_with_the_rules_of_lua() {
    for (text, expected) in [
        ("<$(headers.token)>", "<Abc-1>"),
        ("$(headers[\"token\"])", "Abc-1"),
        ("$(headers.none)", ""),
        ("$(headers.none or 'none')", "none"),
        ("$(headers.token and \"yes\" or \"no\")", "yes"),
        (
            "$(query_params.a)/$(uri_captures.id)/$(uri_captures[1])",
            "1/42/first",
        ),
        ("$(query_params.flag)", "true"),
        ("$(shared.any)", ""),
        ("$('a' .. 'b' .. 1)", "ab1"),
        ("$(headers.n + 1)", "8"),
        ("$(2 * 3 - 4 / 2)", "4"),
        ("$(7 % 4)", "3"),
        ("$(-(1 + 1))", "-2"),
        ("$(not headers.none)", "true"),
        ("$(headers.token == 'Abc-1')", "true"),
        ("$(headers.token ~= 'Abc-1')", "false"),
        ("$('a' < 'b' and 1 <= 1 and 2 > 1 and 2 >= 3)", "false"),
        ("$(#headers.token)", "5"),
        ("$(headers.token:lower())", "abc-1"),
        ("$(string.upper(headers.token))", "ABC-1"),
        ("$(headers.token:sub(1, 3))", "Abc"),
        ("$(headers.token:sub(-1))", "1"),
        ("$(string.sub('abc', 3, 2))", ""),
        ("$(string.rep('ab', 2))$(('x'):rep(0))", "abab"),
        ("$(string.reverse('ab')) $(string.len('ab'))", "ba 2"),
        (
            "$(tostring(nil)) $(type(1)) $(tonumber('x') or 0)",
            "nil number 0",
        ),
        ("$('(' .. \")\")", "()"),
        (r#"$("a\"b\\")"#, r#"a"b\"#),
    ] {
        assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_understood_is_told() {
    for (text, reason) in [
        ("$(headers.a", "closing parenthesis"),
        ("$()", "a value is missing"),
        ("$(os.execute('x'))", "`os` is not known here"),
        ("$(string.format('x'))", "`string.format` is not known here"),
        ("$(headers)", "`.` is missing"),
        ("$(1 2)", "`2` is unexpected"),
        ("$(headers['a)", "closing parenthesis"),
        ("$(function() return 1 end)", "`function` is not known here"),
    ] {
        let error = render(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let deep = format!("$({}1{})", "(".repeat(40), ")".repeat(40));
    assert!(
        render(&deep)
            .unwrap_err()
            .to_string()
            .contains("too deeply")
    );
}

#[test]
fn what_fails_for_a_request_is_told() {
    for text in [
        "$(headers.none .. 'a')",
        "$(headers.token + 1)",
        "$(1 < 'a')",
        "$(#nil)",
        "$(headers.none:lower())",
        "$(string.rep('aaaaaaaaaaaaaaaa', 1000000))",
    ] {
        let error = render(text).unwrap_err();
        assert!(
            matches!(error, TemplateError::Runtime(_)),
            "{text}: {error}"
        );
    }
}
