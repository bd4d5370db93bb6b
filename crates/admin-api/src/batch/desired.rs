//! What a document asks for: all rows of the control plane as they should be.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use declarative::{Document, Format, Limits, Options, Problem, Surroundings};
use entities::{Catalogue, EntityKind, OnDelete, Packed};
use schema::Map;
use serde_json::{Value, json};
use store::Tables;
use uuid::Uuid;

use super::keep;
use entities::brought::{self as custom, CustomPlugin};

/// Rows that are only looked at.
type Rows<'r> = BTreeMap<&'r str, Vec<&'r Packed>>;

/// Bytes of a document: 100 MB (decimal).
pub const MAX_BYTES: usize = 100_000_000;

const LIMITS: Limits = Limits {
    bytes: MAX_BYTES,
    depth: Limits::DEPTH,
    nodes: Limits::NODES,
};

/// Kinds that files rarely hold: a document that does not name them leaves them as they are.
const LEFT_ALONE: [&str; 3] = ["workspaces", "parameters", "custom_plugins"];

/// What a document is read against.
pub(crate) struct Ground<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) plane: Uuid,
    pub(crate) version: u64,
    pub(crate) stored: &'a Tables,
    /// Tags of the rows that are managed, besides those that the document names itself.
    pub(crate) tags: Vec<String>,
}

/// The configuration that a document leads to.
pub(crate) struct Desired {
    /// All rows, those that are not managed included.
    pub(crate) tables: Tables,
    /// Rows that are managed, by kind and id.
    pub(crate) managed: HashSet<(&'static str, String)>,
    /// The tags of the selection; empty: everything is managed.
    pub(crate) tags: Vec<String>,
    /// Stands for the document and the selection.
    pub(crate) digest: String,
}

/// The text as a document, or why it is none. The document does not know its lines: they are only
/// needed of one that is wrong.
pub(crate) fn parse(body: &[u8]) -> Result<Document, Vec<Value>> {
    let document = Document::parse_values(body, Format::Auto, LIMITS);
    document.map_err(|error| vec![unreadable(&error)])
}

/// The document once more, with its lines.
fn with_lines(body: &[u8]) -> Result<Document, Vec<Value>> {
    let document = Document::parse(body, Format::Auto, LIMITS);
    document.map_err(|error| vec![unreadable(&error)])
}

/// The catalogue that knows the plugins which a document may configure: those that everybody has,
/// those that were brought along before, and those that the document brings itself. `body` is its
/// text.
pub(crate) fn catalogue(
    usual: &Arc<Catalogue>,
    mut brought: Vec<CustomPlugin>,
    (body, document): (&[u8], &Document),
    tags: &[String],
) -> Result<Arc<Catalogue>, Vec<Value>> {
    let rows = document
        .value()
        .get(custom::UPLOADED)
        .and_then(Value::as_array);
    let Some(rows) = rows else {
        return Ok(custom::beside(usual, brought));
    };
    if selection(document, tags.to_vec()).is_empty() {
        // The document says which of them there are from now on.
        brought.retain(|plugin| plugin.origin() != custom::UPLOADED);
    }
    let mut faults = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let Value::Object(row) = row else { continue };
        if let Some(message) = custom::uploaded_fault(row, usual) {
            faults.push((position, message));
        } else if let Some(text) = row.get("schema").and_then(Value::as_str) {
            brought.extend(CustomPlugin::read(text).ok());
        }
    }
    if faults.is_empty() {
        return Ok(custom::beside(usual, brought));
    }
    let document = with_lines(body)?;
    let told = faults.into_iter().map(|(position, message)| {
        let entity = format!("{}[{position}]", custom::UPLOADED);
        let path = format!("{entity}.schema");
        json!({
            "path": path,
            "line": document.line(&path),
            "message": message,
            "entity": {"kind": custom::UPLOADED, "path": entity},
        })
    });
    Err(told.collect())
}

/// Completes a document, or says everything that is wrong with it. `body` is its text.
pub(crate) fn read(
    body: &[u8],
    document: Document,
    ground: &Ground<'_>,
) -> Result<Desired, Vec<Value>> {
    let tags = selection(&document, ground.tags.clone());
    let digest = digest_of(body, &tags);
    let (mine, others) = divide(ground, &document, &tags);
    let options = Options {
        tolerate_deck: true,
        ..Options::default()
    };
    let around = Surroundings::of_rows(ground.catalogue, &others).with_tags(tags.clone());
    let named = keep::named_ids(&document);
    let Ok(mut rows) = document.into_packed(ground.catalogue, options, &around) else {
        let document = with_lines(body)?;
        let read = document.normalise_within(ground.catalogue, options, &around);
        return Err(read.err().iter().flatten().map(shown).collect());
    };
    drop(around);
    let seed = format!("{}\n{}\n{digest}", ground.plane, ground.version);
    let fresh = |kind: &str, position: usize| made_id(&seed, kind, position);
    keep::keep_ids(&mut rows, &mine, &named, ground.catalogue, &fresh);
    let mut desired = Desired {
        tables: Tables::new(),
        managed: HashSet::new(),
        tags,
        digest,
    };
    desired.fill(rows, &mine, others, ground.catalogue)?;
    Ok(desired)
}

/// The tags of what is managed, without doubles.
fn selection(document: &Document, given: Vec<String>) -> Vec<String> {
    let mut tags = given;
    tags.extend(document.select_tags());
    tags.sort();
    tags.dedup();
    tags
}

fn digest_of(body: &[u8], tags: &[String]) -> String {
    let mut text = pki::sha256(body).to_vec();
    text.extend(json!(tags).to_string().into_bytes());
    hex(&pki::sha256(&text)[..16])
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id that looks random and follows from the seed.
fn made_id(seed: &str, kind: &str, position: usize) -> Uuid {
    let text = format!("{seed}\n{kind}\n{position}");
    let digest = pki::sha256(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The stored rows that the document manages, and the others.
fn divide<'r>(ground: &Ground<'r>, document: &Document, tags: &[String]) -> (Rows<'r>, Tables) {
    let (mut mine, mut others) = (Rows::new(), Tables::new());
    let mut ids: HashSet<String> = HashSet::new();
    for kind in ground.catalogue.kinds() {
        let is_left = LEFT_ALONE.contains(&kind.name) && document.value().get(kind.name).is_none();
        for row in ground.stored.get(kind.name).into_iter().flatten() {
            let is_mine =
                !is_left && (tags.is_empty() || is_selected(kind, &row.open(), tags, &ids));
            if is_mine {
                if !tags.is_empty() {
                    ids.extend(row.text_of("id"));
                }
                mine.entry(kind.name).or_default().push(row);
            } else {
                let rows = others.entry(kind.name.to_owned()).or_default();
                rows.push(row.clone());
            }
        }
    }
    (mine, others)
}

/// Whether a row has all tags; one that cannot have any goes with what it hangs on.
fn is_selected(kind: &EntityKind, row: &Map, tags: &[String], ids: &HashSet<String>) -> bool {
    if !kind.has_tags {
        let mut parents = kind.foreign_fields();
        return parents.any(|(field, _)| {
            let id = row.get(field.name).and_then(|key| key.get("id")?.as_str());
            id.is_some_and(|id| ids.contains(id))
        });
    }
    let own = row.get("tags").and_then(Value::as_array);
    let own: Vec<_> = own
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    tags.iter().all(|tag| own.contains(&tag.as_str()))
}

impl Desired {
    fn fill(
        &mut self,
        wanted: Tables,
        mine: &Rows<'_>,
        mut others: Tables,
        catalogue: &Catalogue,
    ) -> Result<(), Vec<Value>> {
        let mut problems = Vec::new();
        for kind in catalogue.kinds() {
            let key = |row: &Packed| row.text_of(kind.primary_key);
            let rows = others.get(kind.name).into_iter().flatten();
            let outside: HashSet<String> = rows.filter_map(key).collect();
            for id in wanted.get(kind.name).into_iter().flatten().filter_map(key) {
                if outside.contains(&id) {
                    problems.push(outside_selection(kind, &id, &self.tags));
                }
                self.managed.insert((kind.name, id));
            }
            let rows = mine.get(kind.name).into_iter().flatten();
            self.managed
                .extend(rows.filter_map(|row| key(row)).map(|id| (kind.name, id)));
        }
        self.tables = wanted;
        let mut removed = Removed::new(catalogue, mine, &self.tables);
        for kind in catalogue.kinds() {
            for row in others.remove(kind.name).into_iter().flatten() {
                match removed.judge(kind, row) {
                    Ok(row) => self
                        .tables
                        .entry(kind.name.to_owned())
                        .or_default()
                        .extend(row),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// Rows that go, and what that does to rows which are not managed.
struct Removed {
    ids: HashMap<String, &'static str>,
}

impl Removed {
    fn new(catalogue: &Catalogue, mine: &Rows<'_>, wanted: &Tables) -> Self {
        let mut ids = HashMap::new();
        for kind in catalogue.kinds() {
            let id = |row: &Packed| row.text_of("id");
            let stays = wanted.get(kind.name).into_iter().flatten();
            let stays: HashSet<String> = stays.filter_map(id).collect();
            let rows = mine.get(kind.name).into_iter().flatten();
            let rows = rows.filter_map(|row| id(row));
            ids.extend(
                rows.filter(|id| !stays.contains(id))
                    .map(|id| (id, kind.name)),
            );
        }
        Self { ids }
    }

    /// The row as it is afterwards; `None` when it goes along.
    fn judge(&mut self, kind: &EntityKind, packed: Packed) -> Result<Option<Packed>, Value> {
        let mut row = packed.open();
        let mut is_changed = false;
        for reference in kind.references(&row) {
            let target = reference.id.to_string();
            if self.ids.get(&target) != Some(&reference.kind) {
                continue;
            }
            match reference.on_delete {
                OnDelete::Cascade => {
                    let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
                    self.ids.insert(id.to_owned(), kind.name);
                    return Ok(None);
                }
                OnDelete::SetNull => {
                    row.insert(reference.field.to_owned(), Value::Null);
                    is_changed = true;
                }
                OnDelete::Restrict => {
                    let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
                    let message = format!(
                        "`{target}` of `{}` would go, but `{id}` of `{}` outside of the selection \
                         refers to it",
                        reference.kind, kind.name
                    );
                    return Err(json!({
                        "path": "", "line": Value::Null, "message": message, "entity": Value::Null,
                    }));
                }
            }
        }
        Ok(Some(if is_changed { Packed::of(&row) } else { packed }))
    }
}

fn outside_selection(kind: &EntityKind, id: &str, tags: &[String]) -> Value {
    let message = format!(
        "`{id}` of `{}` exists already and does not have the tags of the selection ({}); give it \
         the tags, or another name or id here",
        kind.name,
        tags.join(", ")
    );
    let entity = json!({"kind": kind.name, "path": ""});
    json!({"path": kind.name, "line": Value::Null, "message": message, "entity": entity})
}

/// A text that cannot be read at all.
fn unreadable(error: &declarative::ParseError) -> Value {
    json!({
        "path": "",
        "line": Some(error.line).filter(|line| *line > 0),
        "message": format!("column {}: {}", error.column, error.message),
        "entity": Value::Null,
    })
}

pub(super) fn shown(problem: &Problem) -> Value {
    json!({
        "path": problem.path,
        "line": problem.line,
        "message": problem.message,
        "entity": problem.entity.as_ref().map(|entity| {
            json!({"kind": entity.kind, "path": entity.path})
        }),
    })
}
