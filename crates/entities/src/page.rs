//! The page about all entities, written from their descriptions.

use std::fmt::Write as _;

use schema::{Check, Line, Schema};

use crate::catalogue::Catalogue;
use crate::kind::EntityKind;

/// The page in Markdown: a table of members for each kind of entity.
#[must_use]
pub fn reference_markdown(catalogue: &Catalogue) -> String {
    let mut page = String::from(
        "# Entities\n\n\
         Written from the descriptions in `crates/entities`; run \
         `GATEHOUSE_BLESS=1 cargo test -p gatehouse-entities` after changing one.\n\n\
         Members without a default are null when they are left out, unless they are required or \
         made up by the server. `ttl` is given in seconds from now and shown as what is left.\n",
    );
    for kind in catalogue.kinds() {
        entity(catalogue, kind, &mut page);
    }
    page
}

fn entity(catalogue: &Catalogue, kind: &EntityKind, page: &mut String) {
    let _ = write!(
        page,
        "\n## {}\n\n{}\n",
        kind.name,
        place(kind).join("; ") + "."
    );
    table(&kind.schema, page);
    let checks = checks(&kind.schema);
    if !checks.is_empty() {
        let _ = write!(page, "\n{}\n", checks.join("\n"));
    }
    let variants: Vec<(&str, Option<Schema>)> = match kind.name {
        "vaults" => catalogue
            .vault_types()
            .map(|name| (name, Some(crate::vault::config_of(name))))
            .collect(),
        "partials" => catalogue
            .partial_types()
            .map(|name| (name, catalogue.partial_config(name).cloned()))
            .collect(),
        _ => Vec::new(),
    };
    for (name, config) in variants {
        let _ = write!(page, "\n### {} `{name}`: config\n", kind.singular);
        match config {
            Some(config) => table(&config, page),
            None => page.push_str("\nAny members; the plugin that uses the part judges them.\n"),
        }
    }
}

/// Where it stands, in a few words.
fn place(kind: &EntityKind) -> Vec<String> {
    let mut words = Vec::new();
    if kind.in_admin_api {
        words.push(format!("`/{}`", kind.path));
    } else if kind.stored {
        words.push("no path of its own in the Admin API".to_owned());
    } else {
        words.push("a description only".to_owned());
    }
    if let Some((parent, segment)) = kind.nested {
        words.push(format!("below `{parent}` as `{segment}`"));
    }
    if let Some(field) = kind.endpoint_key {
        words.push(format!("addressed by `id` or `{field}`"));
    }
    if kind.cache_key.len() > 1 {
        let fields: Vec<String> = kind.cache_key.iter().map(|f| format!("`{f}`")).collect();
        words.push(format!("unique by {} together", fields.join(", ")));
    }
    let marks = [
        (kind.has_ttl, "may carry `ttl`"),
        (!kind.exported, "no part of files"),
        (
            kind.exported && !kind.delivered,
            "not sent to nodes as such",
        ),
        (
            !kind.exported && kind.delivered,
            "sent to nodes as far as a vault reads it",
        ),
        (kind.extension, "unknown to the open-source reference"),
    ];
    let set = marks.into_iter().filter(|(is_set, _)| *is_set);
    words.extend(set.map(|(_, mark)| mark.to_owned()));
    words
}

fn table(schema: &Schema, page: &mut String) {
    page.push_str(
        "\n| member | kind | default | rules | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for line in schema.outline() {
        let Line {
            path,
            kind,
            default,
            rules,
            description,
        } = line;
        let default = if default.is_empty() {
            String::new()
        } else {
            format!("`{default}`")
        };
        let cells = [kind, default, rules.join("; "), description];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(page, "| `{path}` | {} |", cells.join(" | "));
    }
}

fn checks(schema: &Schema) -> Vec<String> {
    let list = |fields: &[&str]| {
        let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        quoted.join(", ")
    };
    let one = |check: &Check| match check {
        Check::AtLeastOneOf(fields) => Some(format!("* At least one of {}.", list(fields))),
        Check::OnlyOneOf(fields) => Some(format!("* Exactly one of {}.", list(fields))),
        Check::MutuallyRequired(fields) => Some(format!("* All or none of {}.", list(fields))),
        Check::MutuallyExclusive(fields) => Some(format!("* At most one of {}.", list(fields))),
        Check::Distinct(fields) => Some(format!("* {} differ.", list(fields))),
        Check::Conditional {
            if_field,
            then_field,
            ..
        } => Some(format!(
            "* What `{then_field}` may be depends on `{if_field}`."
        )),
        Check::ConditionalAtLeastOneOf {
            if_field, then_any, ..
        } => Some(format!(
            "* Whether one of {} must be set depends on `{if_field}`.",
            list(then_any)
        )),
        Check::Announced { .. } => None,
        Check::Custom(custom) => Some(format!(
            "* {}: {}.",
            custom.name.replace('_', " "),
            list(custom.fields)
        )),
    };
    let mut texts: Vec<String> = schema.checks.iter().filter_map(one).collect();
    texts.dedup();
    texts
}
