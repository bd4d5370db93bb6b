//! The pages of `docs/plugins` are in step with the folders of the plugins. With `GATEHOUSE_BLESS`
//! set they are written anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use declarative::{Document, Format, Limits};
use gatehouse_plugins::DEFINITIONS;
use plugin_api::{Definition, Phases, Scopes};
use schema::Line;
use serde_json::{Value, json};

const BLESS: &str = "GATEHOUSE_BLESS";

/// Said at the top of each page.
const NOTE: &str = "<!-- Made from the folder of the plugin: change that, then run \
                    `GATEHOUSE_BLESS=1 cargo test -p gatehouse-plugins --test pages`. -->";

fn folder(definition: &Definition) -> PathBuf {
    let name = definition.name.replace('-', "_");
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

/// What the folder says for people: the first paragraph, the example, and the rest.
struct Told {
    first: String,
    example: Option<String>,
    rest: String,
}

fn told(definition: &Definition) -> Told {
    let page = std::fs::read_to_string(folder(definition).join("README.md"));
    let Ok(page) = page else {
        let module = std::fs::read_to_string(folder(definition).join("mod.rs")).expect("text");
        let line = module.lines().next().unwrap_or_default();
        let text = line.split_once(": ").map_or("", |(_, text)| text);
        let (start, rest) = text.split_at(text.len().min(1));
        return Told {
            first: format!("{}{rest}", start.to_uppercase()),
            example: None,
            rest: "Nodes do not run this plugin yet: its configuration is checked and kept."
                .to_owned(),
        };
    };
    let mut parts: Vec<&str> = page.split("\n\n").map(str::trim).collect();
    parts.retain(|part| !part.is_empty() && !part.starts_with("# "));
    let first = parts.first().copied().unwrap_or_default().to_owned();
    let is_example = |part: &&str| part.starts_with("```yaml") && part.contains("plugins:");
    let example = parts.iter().find(|part| is_example(part)).copied();
    let table = format!("| {} |", "field");
    let rest = parts.iter().skip(1).filter(|part| {
        Some(**part) != example && !part.starts_with(&table) && !part.starts_with("| --- |")
    });
    let rest: Vec<&str> = rest.copied().collect();
    Told {
        first,
        example: example.map(|part| {
            let text = part.trim_start_matches("```yaml\n");
            text.split("```").next().unwrap_or_default().to_owned()
        }),
        rest: relinked(&rest.join("\n\n")),
    }
}

/// Links between folders become links between pages, and links to other documents get their way
/// from here.
fn relinked(text: &str) -> String {
    let mut text = text.replace("](../../../../docs/", "](../");
    for definition in DEFINITIONS {
        let folder = definition.name.replace('-', "_");
        text = text.replace(
            &format!("](../{folder}/README.md)"),
            &format!("]({}.md)", definition.name),
        );
    }
    text
}

/// The entry of a plugin in an example, as a value and as lines.
fn entry(example: &str, name: &str) -> (Value, String) {
    let document = Document::parse(example.as_bytes(), Format::Yaml, Limits::default());
    let document = document.expect("an example that can be read");
    let entries = document.value()["plugins"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let value = entries.into_iter().find(|entry| entry["name"] == name);
    let value = value.unwrap_or_else(|| json!({ "name": name }));
    // The lines of the entry below `config:`, as they are written.
    let start = format!("- name: {name}");
    let lines = example
        .lines()
        .skip_while(|line| line.trim() != start)
        .skip(1);
    let lines = lines.take_while(|line| line.starts_with(' ') || line.is_empty());
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    let own = lines.iter().skip_while(|line| !line.starts_with("config:"));
    let own: Vec<&str> = own.copied().collect();
    (value, own.join("\n"))
}

fn examples(page: &mut String, definition: &Definition, example: &str) {
    let name = definition.name;
    let (value, config) = entry(example, name);
    let mut body = json!({ "name": name });
    if let Some(config) = value.get("config") {
        body["config"] = config.clone();
    }
    let body = serde_json::to_string_pretty(&body).expect("text");
    let config = config.trim_end();
    let config = if config.is_empty() {
        "config: {}"
    } else {
        config
    };
    let example = example.trim_end();
    write!(
        page,
        "## Examples\n\nA declarative file, for decK, `gatehouse config` or a node without a \
         database:\n\n```yaml\n_format_version: \"3.0\"\n{example}\n```\n\nThe Admin API:\n\n\
         ```sh\ncurl http://localhost:8001/plugins --json '{body}'\n```\n\nKubernetes, with an \
         ingress controller:\n\n```yaml\napiVersion: configuration.konghq.com/v1\nkind: KongPlugin\n\
         metadata:\n  name: {name}\nplugin: {name}\n{config}\n```\n\n"
    )
    .expect("text");
}

fn page(definition: &Definition) -> String {
    let told = told(definition);
    let name = definition.name;
    let mut page = format!("{NOTE}\n\n# {name}\n\n{}\n\n", told.first);
    let facts = [
        ("priority", definition.priority.to_string()),
        ("phases", phases(definition)),
        ("scopes", scopes(definition)),
        ("protocols", definition.protocols.join(", ")),
    ];
    page.push_str("| | |\n| --- | --- |\n");
    for (fact, text) in facts {
        writeln!(page, "| {fact} | {text} |").expect("text");
    }
    page.push('\n');
    if let Some(example) = &told.example {
        examples(&mut page, definition, example);
    }
    page.push_str("## Configuration\n\n");
    page.push_str("| field of `config` | kind | default | rules | meaning |\n");
    page.push_str("| --- | --- | --- | --- | --- |\n");
    for line in (definition.schema)().outline() {
        row(&mut page, &line);
    }
    write!(page, "\n## Behaviour\n\n{}\n", told.rest).expect("text");
    page
}

fn row(page: &mut String, line: &Line) {
    let plain = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    // A secret that is made up at start is another one each time.
    let default = if line.path == "secret" {
        ""
    } else {
        line.default.as_str()
    };
    let default = match default {
        "" => "–".to_owned(),
        text if text.len() > 60 => "see the schema".to_owned(),
        text => format!("`{}`", plain(text)),
    };
    let rules = plain(&line.rules.join("; "));
    let rules = if rules.is_empty() { "–" } else { &rules };
    let (path, kind) = (&line.path, plain(&line.kind));
    let meaning = plain(&line.description);
    writeln!(
        page,
        "| `{path}` | {kind} | {default} | {rules} | {meaning} |"
    )
    .expect("text");
}

fn phases(definition: &Definition) -> String {
    if !definition.is_runnable() {
        return "not run yet".to_owned();
    }
    let all = [
        (Phases::CERTIFICATE, "certificate"),
        (Phases::REWRITE, "rewrite"),
        (Phases::ACCESS, "access"),
        (Phases::PREREAD, "preread"),
        (Phases::RESPONSE, "response"),
        (Phases::HEADER_FILTER, "header_filter"),
        (Phases::BODY_FILTER, "body_filter"),
        (Phases::LOG, "log"),
    ];
    let own = all
        .iter()
        .filter(|(phase, _)| definition.phases.contains(*phase));
    own.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn scopes(definition: &Definition) -> String {
    let has = |scope| definition.scopes.contains(scope);
    let all = [
        (true, "everything"),
        (has(Scopes::SERVICE), "service"),
        (has(Scopes::ROUTE), "route"),
        (has(Scopes::CONSUMER), "consumer"),
        (
            gatehouse_plugins::takes_groups(definition),
            "consumer group",
        ),
    ];
    let own = all.iter().filter(|(is_allowed, _)| *is_allowed);
    own.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// All pages, by file name.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut index = format!("{NOTE}\n\n# Plugins\n\nIn the order in which they run.\n\n");
    index.push_str("| plugin | priority | |\n| --- | --- | --- |\n");
    for definition in DEFINITIONS {
        let (name, priority) = (definition.name, definition.priority);
        let first = told(definition).first.replace('\n', " ");
        writeln!(index, "| [{name}]({name}.md) | {priority} | {first} |").expect("text");
        pages.insert(format!("{name}.md"), page(definition));
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

#[test]
fn pages_are_in_step_with_the_folders() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugins");
    let pages = pages();
    if std::env::var_os(BLESS).is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (file, page) in &pages {
            std::fs::write(folder.join(file), page).unwrap();
        }
    }
    let mut stale = Vec::new();
    for (file, page) in &pages {
        let found = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        if found != *page {
            stale.push(file);
        }
    }
    assert!(
        stale.is_empty(),
        "docs/plugins is out of step ({stale:?}): run `{BLESS}=1 cargo test -p gatehouse-plugins --test pages`"
    );
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            pages.contains_key(&file),
            "docs/plugins/{file} belongs to no plugin"
        );
    }
}

#[test]
fn examples_of_pages_are_configurations_that_are_accepted() {
    let catalogue = entities::Catalogue::new(gatehouse_plugins::catalogue());
    let mut refused = Vec::new();
    for definition in DEFINITIONS {
        let Some(example) = told(definition).example else {
            assert!(
                !definition.is_runnable(),
                "{} has no example",
                definition.name
            );
            continue;
        };
        let (value, _) = entry(&example, definition.name);
        let mut body = schema::Map::new();
        body.insert("name".to_owned(), definition.name.into());
        if let Some(config) = value.get("config") {
            body.insert("config".to_owned(), config.clone());
        }
        if let Err(violations) = catalogue.validate("plugins", &mut body, schema::Mode::Insert) {
            refused.push(format!("{}: {violations:?}", definition.name));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
