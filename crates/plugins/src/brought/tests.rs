//! Facts about plugins that a node brings along.

use test_support::TempDir;

use super::*;

const SCHEMA: &str = r#"
local typedefs = require "kong.db.schema.typedefs"
return { name = "mine", fields = { { consumer = typedefs.no_consumer }, { protocols = typedefs.protocols_http },
  { config = { type = "record", fields = { { name = { type = "string", default = "x" } } } } } } }
"#;

const HANDLER: &str =
    "return { PRIORITY = 812, VERSION = '1.2.3', access = function(self, conf) end }";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new("lua"));
        folder.write("kong/plugins/mine/schema.lua", SCHEMA);
        folder.write("kong/plugins/mine/handler.lua", HANDLER);
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn load(&self) -> Result<Brought, Vec<String>> {
        let templates = [format!("{}/?.lua", self.0.path().display())];
        Brought::load(&["mine".to_owned()], &templates)
    }
}

#[test]
fn a_plugin_says_what_it_is() {
    let folder = Folder::new();
    let brought = folder.load().unwrap();
    let definition = brought.definition("mine").unwrap();
    assert_eq!((definition.priority, definition.version), (812, "1.2.3"));
    assert!(definition.phases.contains(Phases::ACCESS));
    assert!(!definition.phases.contains(Phases::LOG));
    assert!(!definition.scopes.contains(Scopes::CONSUMER));
    assert!(definition.scopes.contains(Scopes::ROUTE));
    assert_eq!(definition.protocols, HTTP_PROTOCOLS);
    assert_eq!(brought.schema("mine").unwrap().fields[0].name, "name");
    assert_eq!(brought.notices(), [""; 0]);
    let catalogue = crate::catalogue_with(|_| true, &brought);
    assert_eq!(catalogue.version("mine"), Some("1.2.3"));
    assert!(catalogue.is_runnable("mine"));
    assert!(!catalogue.allows_scope("mine", Scope::Consumer));
}

#[test]
fn what_a_plugin_lacks_is_named_when_it_is_loaded() {
    let folder = Folder::new();
    folder.write(
        "kong/plugins/mine/handler.lua",
        "local x = require 'resty.none'\nreturn {}",
    );
    let faults = folder.load().unwrap_err().join("\n");
    assert!(faults.contains("plugin `mine`"), "{faults}");
    assert!(faults.contains("module 'resty.none'"), "{faults}");

    let uses = "-- kong.nothing in a remark\nreturn { access = function() \
                kong.db.consumers:select() ngx.socket.tcp() kong.log('x') ngx.var.made_up = 1 \
                local y = require('resty.later') end }";
    folder.write("kong/plugins/mine/handler.lua", uses);
    let brought = folder.load().unwrap();
    let notices = brought.notices().join("\n");
    for part in ["`kong.db.consumers`", "`ngx.socket.tcp`", "`resty.later`"] {
        assert!(notices.contains(part), "{part}: {notices}");
    }
    assert_eq!(brought.notices().len(), 3, "{notices}");
}

#[test]
fn what_is_no_plugin_is_refused() {
    let cases = [
        ("return 1", "returns no table"),
        ("return {", "unexpected symbol near"),
        ("while true do end", "the time of the code is over"),
        ("return { PRIORITY = 'high' }", "`PRIORITY` is no number"),
        ("io.open('/etc/passwd')", "index global 'io'"),
        (
            "return { response = function() end, header_filter = function() end }",
            "`response` stands for",
        ),
        ("local s = ('x'):rep(1e9) return {}", "not enough memory"),
        ("\u{1b}LJ", "wrong mode"),
    ];
    for (handler, part) in cases {
        let folder = Folder::new();
        folder.write("kong/plugins/mine/handler.lua", handler);
        let faults = folder.load().unwrap_err().join("\n");
        assert!(faults.contains(part), "{handler}: {faults}");
    }
    let folder = Folder::new();
    std::fs::remove_file(folder.0.join("kong/plugins/mine/schema.lua")).unwrap();
    let faults = folder.load().unwrap_err().join("\n");
    assert!(
        faults.contains("`kong.plugins.mine.schema` is not found"),
        "{faults}"
    );
    assert!(faults.contains("/kong/plugins/mine/schema.lua"), "{faults}");
    let faults = Brought::load(&["../up".to_owned()], &[]).unwrap_err();
    assert!(faults[0].contains("such a name no plugin has"));
    folder.write(
        "kong/plugins/mine/schema.lua",
        &SCHEMA.replace("\"mine\"", "\"other\""),
    );
    let faults = folder.load().unwrap_err().join("\n");
    assert!(faults.contains("schema.lua describes `other`"), "{faults}");
}

#[cfg(feature = "lua")]
#[test]
fn a_description_that_is_put_together_by_code_is_run() {
    let folder = Folder::new();
    let text = r#"
local typedefs = require "kong.db.schema.typedefs"
local fields = {}
for _, name in ipairs({ "a", "b" }) do
  fields[#fields + 1] = { [name] = typedefs.port { default = 80 } }
end
return { name = "mine", fields = { { route = typedefs.no_route }, { config = { type = "record", fields = fields } } } }
"#;
    folder.write("kong/plugins/mine/schema.lua", text);
    let brought = folder.load().unwrap();
    let schema = brought.schema("mine").unwrap();
    let names: Vec<_> = schema.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(
        !brought
            .definition("mine")
            .unwrap()
            .scopes
            .contains(Scopes::ROUTE)
    );
}
