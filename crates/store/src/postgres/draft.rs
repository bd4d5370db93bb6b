//! Operations made ready before any lock is taken: bodies sealed, values hashed, references read.

use serde_json::Value;
use uuid::Uuid;

use crate::codec::{Codec, Digest, Encoded, body_id};
use crate::model::{KindFacts, Reference};
use crate::{Body, Operation, StoreError, Tables};

/// A row of a kind by its id.
pub(super) type Address = (&'static str, Uuid);

/// What a row is and what follows from its body.
pub(super) struct Draft {
    pub(super) encoded: Encoded,
    pub(super) keys: Vec<Key>,
    pub(super) tags: Vec<Vec<u8>>,
    pub(super) references: Vec<Reference>,
    /// Where the references lead, in their order.
    pub(super) targets: Vec<Address>,
}

/// A unique value.
pub(super) struct Key {
    pub(super) digest: Digest,
    pub(super) fields: Vec<String>,
}

impl Draft {
    /// Reads a body; `now` is in Unix milliseconds.
    pub(super) fn new(
        codec: &Codec,
        plane: Uuid,
        (kind, id): (&KindFacts, Uuid),
        body: &Body,
        now: u64,
    ) -> Result<Self, StoreError> {
        let encoded = codec.encode(plane, kind, id, body, now)?;
        let keys = codec.unique_keys(kind, body).into_iter().map(|key| Key {
            digest: codec.key_digest(plane, kind.name, &key.fields, &key.value),
            fields: key.fields,
        });
        let references = codec.references(kind, body);
        let target = |reference: &Reference| Ok((codec.kind(&reference.kind)?.name, reference.id));
        Ok(Self {
            encoded,
            keys: keys.collect(),
            tags: tags(body),
            targets: references
                .iter()
                .map(target)
                .collect::<Result<_, StoreError>>()?,
            references,
        })
    }
}

fn tags(body: &Body) -> Vec<Vec<u8>> {
    let Some(Value::Array(tags)) = body.get("tags") else {
        return Vec::new();
    };
    let mut tags: Vec<Vec<u8>> = tags
        .iter()
        .filter_map(|tag| Some(tag.as_str()?.as_bytes().to_vec()))
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The fields of a key with the values that a body has for them.
pub(super) fn key_fields(fields: &[String], body: &Body) -> Body {
    let value = |field: &String| body.get(field).cloned().unwrap_or_default();
    let pairs = fields.iter().map(|field| (field.clone(), value(field)));
    pairs.collect()
}

/// What has to be true for a row to be written.
#[derive(Clone, Copy)]
pub(super) enum Condition {
    Absent,
    Any,
    Present,
    /// Present with this content.
    Unchanged(Digest),
}

/// An operation, ready.
pub(super) enum Step<'a> {
    Put {
        kind: &'a KindFacts,
        id: Uuid,
        condition: Condition,
        body: &'a Body,
        draft: Box<Draft>,
    },
    Delete {
        kind: &'a KindFacts,
        id: Uuid,
    },
    ReplaceAll(&'a Tables),
    AtVersion(u64),
    Note(&'a str),
}

/// Makes the operations of a batch ready.
pub(super) fn steps<'a>(
    codec: &'a Codec,
    plane: Uuid,
    operations: &'a [Operation],
    now: u64,
) -> Result<Vec<Step<'a>>, StoreError> {
    let step = |operation: &'a Operation| {
        let put = |kind: &str, body: &'a Body, condition: Condition| {
            let kind = codec.kind(kind)?;
            let id = body_id(kind, body)?;
            let draft = Box::new(Draft::new(codec, plane, (kind, id), body, now)?);
            Ok(Step::Put {
                kind,
                id,
                condition,
                body,
                draft,
            })
        };
        let update = |kind: &'static str, id: Uuid, body: &'a Body, condition: Condition| {
            let facts = codec.kind(kind)?;
            if body_id(facts, body)? != id {
                return Err(StoreError::Malformed {
                    kind: facts.name.to_owned(),
                    reason: "its `id` is not the id of the row".to_owned(),
                });
            }
            put(kind, body, condition)
        };
        match operation {
            Operation::Insert { kind, body } => put(kind, body, Condition::Absent),
            Operation::Upsert { kind, body } => put(kind, body, Condition::Any),
            Operation::Update { kind, id, body } => update(kind, *id, body, Condition::Present),
            Operation::UpdateFrom {
                kind,
                id,
                previous,
                body,
            } => {
                let read = codec.content_digest(previous);
                update(kind, *id, body, Condition::Unchanged(read))
            }
            Operation::Delete { kind, id } => Ok(Step::Delete {
                kind: codec.kind(kind)?,
                id: *id,
            }),
            Operation::ReplaceAll { tables } => Ok(Step::ReplaceAll(tables)),
            Operation::AtVersion { version } => Ok(Step::AtVersion(*version)),
            Operation::Note { text } => Ok(Step::Note(text)),
        }
    };
    operations.iter().map(step).collect()
}
