//! The page about all properties, generated from the table.

use crate::properties::{Effect, Kind, Property, SECTIONS};

const INTRODUCTION: &str = "\
# kong.conf

Generated from the table in `crates/conf/src/properties`; change it there.

`gatehouse node -c kong.conf` reads settings in this order, strongest first: arguments of the command,
variables `KONG_` and the name in upper case, the file, the built-in defaults. Without `-c` the file is
`/etc/kong/kong.conf` or `/etc/kong.conf`, if one exists. A variable that is set to nothing unsets the property.

In the file, a line is `name = value`; lines that begin with `#` or `;` are comments, and so is what
follows a blank and `#` (write `\\#` for the character itself); a `\\` at the end of a line joins the next one.
Lists are separated by commas. `{vault://env/name-of-variable}` is replaced by what the variable
`NAME_OF_VARIABLE` holds.

A name that is not in the tables below has no effect and is told of at start, with the nearest known name;
`gatehouse check --strict` refuses it. A `nginx_*` directive that is not in the tables has no effect.

Column *acts*: **yes**; **not yet**: accepted and told of once when set to something else than the default;
**no**: never, for the reason given.
";

/// The page about all properties in Markdown, as it stands in `docs/kong-conf.md`.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (_, title, properties) in SECTIONS {
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str(
            "| name | type | default | meaning | acts |\n| --- | --- | --- | --- | --- |\n",
        );
        for property in properties {
            row(&mut page, property);
        }
    }
    page
}

fn row(page: &mut String, property: &Property) {
    let kind = match property.kind {
        Kind::Array => "list".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Enum(words) => words.join(", "),
        Kind::Number => "number".to_owned(),
        Kind::String => "text".to_owned(),
    };
    let default = property
        .default
        .map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
    let acts = match property.effect {
        Effect::Acted => "yes".to_owned(),
        Effect::NotYet => "not yet".to_owned(),
        Effect::Never(reason) => format!("no: {reason}"),
    };
    let (name, doc) = (property.name, property.doc.replace('|', "\\|"));
    page.push_str(&format!(
        "| `{name}` | {kind} | {default} | {doc} | {acts} |\n"
    ));
}
