use schema::{Map, Mode};
use serde_json::{Value, json};

use super::*;

const USUAL: &str = r#"
-- what a description usually looks like
local typedefs = require "kong.db.schema.typedefs"

local PLUGIN_NAME = "my-plugin"
--[[ a long
     comment ]]
local schema = {
  name = PLUGIN_NAME,
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http_https },
    { config = {
        type = "record",
        fields = {
          { request_header = typedefs.header_name {
              required = true,
              default = "Hello-World" } },
          { ttl = { type = "integer", default = 10 * 60, required = true, gt = 0, }},
          { mode = { type = "string", one_of = { "a", "b" }, default = "a" }, },
          { names = { type = "array", elements = { type = "string", match = "^%a[%w_-]*$" } } },
          { limits = { type = "map", keys = { type = "string" },
                       values = { type = "number", between = { 0, 1 } } } },
          { inner = { type = "record", fields = { { host = typedefs.host }, { port = typedefs.port } },
                      entity_checks = { { mutually_required = { "host", "port" } } } } },
        },
        entity_checks = {
          { custom_entity_check = { field_sources = { "ttl" }, fn = function(entity)
              if entity.ttl > 3 then for i = 1, 2 do end end
              return true
            end } },
        },
      },
    },
  },
  entity_checks = { { conditional = {
    if_field = "config.mode", if_match = { eq = "b" },
    then_field = "config.names", then_match = { required = true },
  } } },
}

return schema
"#;

fn check(text: &str, config: &Value) -> Result<Map, String> {
    let plugin = CustomPlugin::read(text).map_err(|fault| fault.to_string())?;
    let name = plugin.name();
    let Value::Object(mut body) = json!({"name": name, "config": config}) else {
        unreachable!("an object");
    };
    let catalogue = plugin.catalogue();
    let outcome = catalogue.validate("plugins", &mut body, Mode::Insert);
    outcome.map_err(|violations| violations.message())?;
    Ok(body)
}

#[test]
fn a_usual_description_gives_defaults_and_protocols() {
    let body = check(USUAL, &json!({})).unwrap();
    assert_eq!(body["config"]["request_header"], "Hello-World");
    assert_eq!(body["config"]["ttl"], 600);
    assert_eq!(body["config"]["mode"], "a");
    assert_eq!(body["protocols"], json!(["http", "https"]));
}

#[test]
fn what_breaks_a_brought_description_is_refused() {
    for (config, expected) in [
        (json!({"ttl": 0}), "ttl"),
        (json!({"ttl": "x"}), "ttl"),
        (json!({"mode": "c"}), "mode"),
        (json!({"names": ["1a"]}), "names"),
        (json!({"limits": {"x": 2}}), "limits"),
        (json!({"inner": {"host": "a"}}), "inner"),
        (json!({"request_header": "a b"}), "request_header"),
        (json!({"colour": "red"}), "colour"),
        (json!({"mode": "b"}), "names"),
    ] {
        let message = check(USUAL, &config).unwrap_err();
        assert!(message.contains(expected), "{config}: {message}");
    }
    check(
        USUAL,
        &json!({"mode": "b", "names": ["a-1"], "limits": {"x": 0.5}}),
    )
    .unwrap();
}

#[test]
fn a_scope_that_is_forbidden_is_refused() {
    let catalogue = CustomPlugin::read(USUAL).unwrap().catalogue();
    let consumer = json!({"id": "5f0a54cb-2f6e-4c27-9c0a-9b8c5d0b7f11"});
    let Value::Object(mut body) = json!({"name": "my-plugin", "consumer": consumer}) else {
        unreachable!("an object");
    };
    let outcome = catalogue.validate("plugins", &mut body, Mode::Insert);
    assert!(outcome.unwrap_err().message().contains("consumer"));
}

#[test]
fn what_would_need_running_is_refused_with_its_line() {
    for (text, expected) in [
        ("", "returns nothing"),
        ("return", "expected a value"),
        ("return 1", "is a table"),
        ("local a = require 'os'", "only `kong.db.schema.typedefs`"),
        ("\n\nlocal a = os.time()", "line 3: `os` is not known"),
        ("while true do end", "only `local` names"),
        ("for i = 1, 10 do end", "only `local` names"),
        ("local t = {} t.x.y = 1", "only `local` names"),
        ("return { name = 'x' }", "`fields` must be a list"),
        ("return { fields = {} }", "`name` must be given"),
        (
            "return { name = 'a b', fields = {} }",
            "`name` must be given",
        ),
        ("return { name = 'x', fields = {} }", "no `config`"),
        (
            "return { name = 'x', fields = { { colour = {} } } }",
            "no member `colour`",
        ),
        ("return 'x", "a text does not end"),
        ("return [[x", "a text does not end"),
        ("--[[ x", "a text does not end"),
        ("return 1e999", "is no number"),
        ("return 'x' + 1", "does not fit"),
        ("return 1 / 0", "no numbers"),
        ("return { x = 1 } return {}", "nothing may follow"),
        ("return function() if x then", "a function does not end"),
        ("return setmetatable({}, {})", "`setmetatable` is not known"),
        ("local a = {} return a:b()", "cannot be read"),
        ("return a and b", "`a` is not known"),
        ("return true and 1", "`and` is not read"),
        ("return @", "`@` cannot be read"),
        ("return '\\x41'", "escape"),
        ("return \u{1F980}", "cannot be read"),
    ] {
        let fault = CustomPlugin::read(text).unwrap_err().to_string();
        assert!(fault.contains(expected), "{text}: {fault}");
    }
}

#[test]
fn a_field_that_cannot_be_read_is_named_by_its_path() {
    let of = |definition: &str| {
        let text = format!(
            "return {{ name = 'x', fields = {{ {{ config = {{ type = 'record', fields = {{ \
             {{ a = {definition} }} }} }} }} }} }}"
        );
        CustomPlugin::read(&text).unwrap_err().to_string()
    };
    for (definition, expected) in [
        ("{}", "config.a: `type` must be given"),
        ("{ type = 'colour' }", "config.a: the type `colour`"),
        (
            "{ type = 'string', colour = 1 }",
            "config.a: `colour` is not read",
        ),
        ("{ type = 'string', one_of = 1 }", "config.a: `one_of`"),
        ("{ type = 'string', len_min = 1.5 }", "config.a: `len_min`"),
        (
            "{ type = 'string', match = '%b()' }",
            "config.a: the pattern `%b()`",
        ),
        (
            "{ type = 'string', match = '[a' }",
            "config.a: the pattern `[a`",
        ),
        (
            "{ type = 'array', elements = {} }",
            "config.a.elements: `type`",
        ),
        ("{ type = 'record' }", "config.a: `fields` must be a list"),
        (
            "{ type = 'string', default = function() end }",
            "config.a: the default",
        ),
        ("1", "config.a: a definition is a table"),
    ] {
        let fault = of(definition);
        assert!(fault.contains(expected), "{definition}: {fault}");
    }
}

#[test]
fn texts_made_to_hurt_are_refused() {
    let deep = format!("return {}{}", "{".repeat(500), "}".repeat(500));
    let doubling: String = (0..60)
        .map(|n| format!("local a{} = {{ a{n}, a{n} }} ", n + 1))
        .collect();
    let wide = format!("return {{ {} }}", "1,".repeat(110_000));
    for text in [
        deep,
        format!("local a0 = {{}} {doubling} return a60"),
        wide,
        "x".repeat(MAX_TEXT + 1),
        "(".repeat(MAX_TEXT),
        format!("return {}1", "-".repeat(10)),
    ] {
        assert!(CustomPlugin::read(&text).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn numbers_texts_and_brackets_are_read_as_lua_reads_them() {
    let text = "return { name = [==[x]==], fields = { { config = { fields = {
        { a = { type = 'number', default = 0x10 } },
        { b = { type = 'number', default = -1.5e+2 } },
        { c = { type = \"string\", default = 'it\\'s' .. \" \\\"it\\\"\" } },
        { d = { type = 'array', elements = { type = 'integer' }, default = { 1, 2; 3 } } },
        { ['e'] = { type = 'map', keys = { type = 'string' }, values = { type = 'string' },
                    default = { x = 'y' } } },
        { f = { type = 'set', elements = { type = 'string' }, default = {} } },
    } } } } }";
    let body = check(text, &json!({})).unwrap();
    let expected = json!({
        "a": 16, "b": -150, "c": "it's \"it\"", "d": [1, 2, 3], "e": {"x": "y"}, "f": [],
    });
    assert_eq!(body["config"], expected);
}
