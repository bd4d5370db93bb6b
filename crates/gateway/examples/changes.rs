//! Prints what it costs a node to compile a configuration of 100,000 routes, and one change of it:
//! `cargo run --release -p gatehouse-gateway --example changes -- [ROUTES]`.
//!
//! | figure at 100,000 routes | aim |
//! | --- | --- |
//! | everything compiled | 2 s |
//! | one changed route | 10 ms |

use std::error::Error;
use std::io::Write as _;

use declarative::{Document, Format, Limits, Options, Problem};
use entities::{Catalogue, Map};
use gatehouse_gateway::snapshot::{Compile, RowChange, Snapshot};
use plugin_api::NodeInfo;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

const TEXT: &str = "_format_version: '3.0'\nservices:\n- {name: s, url: 'http://s.test', \
                    routes: [{name: r, paths: [/a]}]}\nplugins: [{name: cors}]\n";

const CHANGES: usize = 100;

/// A route of a number with a path.
fn row(sample: &Map, number: usize, path: &str) -> (Uuid, Map) {
    let mut row = sample.clone();
    let id = Uuid::new_v5(&Uuid::nil(), number.to_string().as_bytes());
    row.insert("id".into(), json!(id));
    row.insert("name".into(), json!(format!("r{number}")));
    row.insert("paths".into(), json!([path]));
    (id, row)
}

fn refused(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let count = std::env::args().nth(1).map(|own| own.parse());
    let count: usize = count.transpose()?.unwrap_or(100_000);
    let document = Document::parse(TEXT.as_bytes(), Format::Yaml, Limits::default());
    let document = document.map_err(|error| error.message)?;
    let catalogue = Catalogue::new(plugins::catalogue());
    let mut config = document
        .into_config(&catalogue, Options::default())
        .map_err(|problems| refused(&problems))?;
    let sample = config.rows("routes")[0].clone();
    let rows = (0..count).map(|number| row(&sample, number, &format!("/route{number}/")).1);
    config.tables.insert("routes".to_owned(), rows.collect());
    let settings = conf::Settings::builtin();
    let node = Compile::new(&settings, NodeInfo::new(Uuid::nil(), "example"), None)?;
    let start = Instant::now();
    let mut running =
        Snapshot::compile(&config, "0", &node).map_err(|problems| refused(&problems))?;
    writeln!(out, "{count} routes, everything: {:?}", start.elapsed())?;
    let start = Instant::now();
    drop(Snapshot::compile(&config, "0", &node).map_err(|problems| refused(&problems))?);
    writeln!(out, "the same once more: {:?}", start.elapsed())?;
    let kinds = [
        ("a path", "/other"),
        ("a pattern", "~/other/(?<n>\\d+)/[a-z]+"),
    ];
    for (what, path) in kinds {
        let mut took = Vec::new();
        for step in 0..CHANGES {
            let (id, row) = row(&sample, step * 37 % count, &format!("{path}{step}"));
            let change = RowChange {
                kind: "routes".to_owned(),
                id,
                body: Some(row),
            };
            let start = Instant::now();
            let next = running.changed(&[change], &format!("{what}{step}"), &node);
            took.push(start.elapsed());
            running = next.ok_or("the change was not taken over")?;
        }
        took.sort();
        let (middle, most) = (took[CHANGES / 2], took[CHANGES - 1]);
        writeln!(out, "{what} changed: median {middle:?}, longest {most:?}")?;
    }
    Ok(())
}
