//! `make new-plugin NAME=my-plugin`: a folder for a plugin, with a test that fails until it does
//! something, and what to do next.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use gatehouse_xtask::root;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that talks to a developer"
)]
fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    match scaffold(&root().join("crates/plugins/src"), &name) {
        Ok(next) => {
            println!("{next}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("new-plugin: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the folder of a plugin; tells what to do next.
fn scaffold(plugins: &Path, name: &str) -> Result<String, String> {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let has_edges = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
    if name.is_empty() || !name.bytes().all(is_good) || !has_edges {
        let usage =
            "give a name of small letters, digits and dashes: make new-plugin NAME=my-plugin";
        return Err(usage.to_owned());
    }
    let module = name.replace('-', "_");
    let folder = plugins.join(&module);
    if folder.exists() {
        return Err(format!("`{}` is there already", folder.display()));
    }
    let written = fs::create_dir_all(&folder).and_then(|()| {
        for (file, text) in files(name) {
            fs::write(folder.join(file), text)?;
        }
        Ok(())
    });
    written.map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(format!(
        "{} is there. Next:\n\
         1. crates/plugins/src/lib.rs: add `pub mod {module};`, and `&{module}::DEFINITION,` to\n   \
            DEFINITIONS at the place of its priority.\n\
         2. crates/plugins/src/catalogue.rs: the order and the number of plugins, in the tests.\n\
         3. cargo test -p gatehouse-plugins {module}   (one test fails: make it pass)\n\
         4. GATEHOUSE_BLESS=1 cargo test -p gatehouse-plugins --test pages   (docs/plugins)\n\
         5. changelog.d/N-{name}.added.md\n\
         docs/guides/adding-a-plugin.md explains the parts.",
        folder.display()
    ))
}

fn files(name: &str) -> [(&'static str, String); 5] {
    let fill = |text: &str| text.replace("NAME", name);
    [
        ("mod.rs", fill(MODULE)),
        ("schema.rs", fill(SCHEMA)),
        ("handler.rs", fill(HANDLER)),
        ("tests.rs", fill(TESTS)),
        ("README.md", fill(README)),
    ]
}

const MODULE: &str = r#"//! `NAME`: says in one sentence what it does.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::new("NAME", 500, schema::schema, handler::build);
"#;

const SCHEMA: &str = r#"//! Configuration of `NAME`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("NAME").fields([Field::string("greeting")
        .default("hello")
        .describe("What the service is told.")])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// What the service is told.
    pub(super) greeting: String,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            greeting: read.text("greeting")?.unwrap_or_else(|| "hello".to_owned()),
        })
    }
}
"#;

const HANDLER: &str = r#"//! `NAME` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, Step};

use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    Ok(Arc::new(Instance {
        config: Config::try_from(input.config)?,
    }))
}

struct Instance {
    config: Config,
}

impl Handler for Instance {
    fn access<'a>(&'a self, _exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let _greeting = &self.config.greeting;
        Step::CONTINUE
    }
}
"#;

const TESTS: &str = r#"//! Facts about `NAME`.

use serde_json::json;

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

#[test]
fn the_service_is_told_the_greeting() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"greeting": "hi"}));
    let mut request = Request::get("/");
    assert_eq!(request.access(&bench, &*handler), None);
    assert_eq!(request.sent_headers(), ["X-Greeting: hi"]);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let found = violations(&DEFINITION, json!({"greeting": 5}));
    assert_eq!(found, ["greeting: expected a string"]);
}
"#;

const README: &str = "# NAME

Says in one sentence what it does.

```yaml
plugins:
- name: NAME
  config:
    greeting: hello
```

What it does, step by step; limits; what is refused.

Scopes: everything, service, route, consumer. Phases: access. Priority 500.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_folder_once() {
        let plugins = std::env::temp_dir().join(format!("new-plugin-{}", std::process::id()));
        let next = scaffold(&plugins, "my-plugin").unwrap();
        assert!(next.contains("pub mod my_plugin;"), "{next}");
        let module = fs::read_to_string(plugins.join("my_plugin/mod.rs")).unwrap();
        assert!(
            module.contains(r#"Definition::new("my-plugin", 500"#),
            "{module}"
        );
        assert!(
            scaffold(&plugins, "my-plugin")
                .unwrap_err()
                .contains("there already")
        );
        for name in ["", "My", "-a", "a-", "1a", "a b", "../a"] {
            assert!(scaffold(&plugins, name).is_err(), "{name}");
        }
        fs::remove_dir_all(plugins).unwrap();
    }
}
