//! Between a body and its row: sealing, expiry, and the keyed hashes that stand for values.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::Value;
use uuid::Uuid;

use crate::model::{KindFacts, Model, Reference, Seal, UniqueKey};
use crate::{Body, Packed, StoreError};

/// Bytes kept of a keyed hash: 128 bits cannot be met by accident, and forging needs the key.
const DIGEST_BYTES: usize = 16;

/// A `ttl` above this is a moment (Unix seconds), not a duration; the schema allows durations up
/// to it. Compat: exported rows carry the moment.
const LONGEST_TTL: u64 = 100_000_000;

/// Fields that say when, not what: two rows that differ only here are the same.
const MOMENTS: [&str; 3] = ["created_at", "updated_at", "ttl"];

pub(crate) type Digest = [u8; DIGEST_BYTES];

/// Everything that is known besides the database: kinds, sealing key, hash key.
pub(crate) struct Codec {
    model: Arc<dyn Model>,
    kinds: Vec<KindFacts>,
    by_name: HashMap<&'static str, usize>,
    sealer: Arc<dyn Seal>,
    key: hmac::Key,
}

/// A body, ready for its row.
pub(crate) struct Encoded {
    pub(crate) body: String,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) digest: Digest,
    pub(crate) expiry: Expiry,
}

/// When a row ends, in Unix seconds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    /// Counted from now.
    After(u64),
    /// Given as a moment.
    At(u64),
}

impl Expiry {
    pub(crate) fn moment(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::After(moment) | Self::At(moment) => Some(moment),
        }
    }

    /// Whether a stored moment already says this. A duration cannot be compared with a moment:
    /// that there is an end at all has to do.
    pub(crate) fn agrees_with(self, stored: Option<u64>) -> bool {
        match self {
            Self::Never => stored.is_none(),
            Self::After(_) => stored.is_some(),
            Self::At(moment) => stored == Some(moment),
        }
    }
}

/// How `ttl` is shown.
#[derive(Clone, Copy)]
pub(crate) enum Ttl {
    /// Seconds left at this Unix second.
    Remaining(u64),
    /// The Unix second of the end.
    Absolute,
}

impl Codec {
    /// Works with the hash key of a database, as [`HashKey`] keeps it there.
    pub(crate) fn new(model: Arc<dyn Model>, sealer: Arc<dyn Seal>, secret: &HashKey) -> Self {
        let kinds = model.kinds();
        let by_name = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| (kind.name, i))
            .collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
        Self {
            model,
            kinds,
            by_name,
            sealer,
            key,
        }
    }

    pub(crate) fn kinds(&self) -> &[KindFacts] {
        &self.kinds
    }

    pub(crate) fn kind(&self, name: &str) -> Result<&KindFacts, StoreError> {
        self.by_name
            .get(name)
            .map(|index| &self.kinds[*index])
            .ok_or_else(|| StoreError::UnknownKind {
                kind: name.to_owned(),
            })
    }

    pub(crate) fn unique_keys(&self, kind: &KindFacts, body: &Body) -> Vec<UniqueKey> {
        self.model.unique_keys(kind.name, body)
    }

    pub(crate) fn references(&self, kind: &KindFacts, body: &Body) -> Vec<Reference> {
        let mut references = self.model.references(kind.name, body);
        // A list may name the same row twice; it is one reference.
        references.sort_by(|a, b| (&a.field, a.id).cmp(&(&b.field, b.id)));
        references.dedup_by(|a, b| a.field == b.field && a.id == b.id);
        references
    }

    /// What stands for a unique value in the index. Values are never indexed in clear text: one
    /// way for credentials and names alike, and the index stays small.
    pub(crate) fn key_digest<F: AsRef<str>>(
        &self,
        plane: Uuid,
        kind: &str,
        fields: &[F],
        value: &str,
    ) -> Digest {
        let mut hash = hmac::Context::with_key(&self.key);
        hash.update(b"unique\0");
        hash.update(plane.as_bytes());
        hash.update(kind.as_bytes());
        for field in fields {
            hash.update(b"\0");
            hash.update(field.as_ref().as_bytes());
        }
        hash.update(b"\0\0");
        hash.update(value.as_bytes());
        shorten(&hash.sign())
    }

    /// Stands for the content of a body, whatever the order of its members and apart from moments.
    pub(crate) fn content_digest(&self, body: &Body) -> Digest {
        let mut text = Vec::with_capacity(512);
        write_members(body, &mut text, |key| !MOMENTS.contains(&key));
        let mut hash = hmac::Context::with_key(&self.key);
        hash.update(b"content\0");
        hash.update(&text);
        shorten(&hash.sign())
    }

    /// Prepares a body for its row; `now` is in Unix milliseconds.
    pub(crate) fn encode(
        &self,
        plane: Uuid,
        kind: &KindFacts,
        id: Uuid,
        body: &Body,
        now: u64,
    ) -> Result<Encoded, StoreError> {
        let digest = self.content_digest(body);
        let mut plain = body.clone();
        let mut expiry = Expiry::Never;
        if kind.has_ttl {
            expiry = self::expiry(body, now / 1000);
            plain.shift_remove("ttl");
        }
        let mut secrets = Body::new();
        for field in &kind.sealed {
            if let Some(value) = plain.get_mut(*field)
                && !value.is_null()
            {
                secrets.insert((*field).to_owned(), value.take());
            }
        }
        let malformed = |reason: String| StoreError::Malformed {
            kind: kind.name.to_owned(),
            reason,
        };
        let sealed = if secrets.is_empty() {
            None
        } else {
            let text = serde_json::to_vec(&secrets).map_err(|e| malformed(e.to_string()))?;
            let context = seal_context(plane, kind.name, id);
            Some(self.sealer.seal(&text, &context).map_err(malformed)?)
        };
        let body = serde_json::to_string(&plain).map_err(|e| malformed(e.to_string()))?;
        Ok(Encoded {
            body,
            sealed,
            digest,
            expiry,
        })
    }

    /// Puts a body together again as exports show it, without opening what is complete.
    pub(crate) fn decode_packed(
        &self,
        plane: Uuid,
        kind: &KindFacts,
        row: &Stored<'_>,
    ) -> Result<Packed, StoreError> {
        if row.sealed.is_none() && row.expires_at.is_none() {
            return Packed::from_text(row.body).map_err(|_| damaged(kind, row));
        }
        let body = self.decode(plane, kind, row, Ttl::Absolute)?;
        Ok(Packed::of(&body))
    }

    /// Puts a body together again.
    pub(crate) fn decode(
        &self,
        plane: Uuid,
        kind: &KindFacts,
        row: &Stored<'_>,
        ttl: Ttl,
    ) -> Result<Body, StoreError> {
        let damaged = || damaged(kind, row);
        let mut body: Body = serde_json::from_str(row.body).map_err(|_| damaged())?;
        if let Some(sealed) = row.sealed {
            let context = seal_context(plane, kind.name, row.id);
            let plain = self
                .sealer
                .open(sealed, &context)
                .map_err(|_| StoreError::Unsealable {
                    what: format!("`{}` of `{}`", row.id, kind.name),
                })?;
            let secrets: Body = serde_json::from_slice(&plain).map_err(|_| damaged())?;
            body.extend(secrets);
        }
        if let Some(end) = row.expires_at {
            let shown = match ttl {
                Ttl::Remaining(now) => end.saturating_sub(now),
                Ttl::Absolute => end,
            };
            body.insert("ttl".to_owned(), shown.into());
        }
        Ok(body)
    }
}

fn damaged(kind: &KindFacts, row: &Stored<'_>) -> StoreError {
    StoreError::Storage {
        action: format!("read `{}` of `{}`", row.id, kind.name),
        detail: "the stored document is not JSON".to_owned(),
    }
}

/// A row as it lies in a database.
pub(crate) struct Stored<'a> {
    pub(crate) id: Uuid,
    pub(crate) body: &'a str,
    pub(crate) sealed: Option<&'a [u8]>,
    pub(crate) expires_at: Option<u64>,
}

/// The key of the hashes that stand for values; each database has its own, kept there sealed.
pub(crate) struct HashKey(Vec<u8>);

impl HashKey {
    /// Under which name a database keeps it.
    pub(crate) const NAME: &str = "hash_key";

    /// Makes one, with its sealed form.
    pub(crate) fn create(sealer: &dyn Seal) -> Result<(Self, Vec<u8>), StoreError> {
        let key = clock::random_bytes::<32>();
        let sealed =
            sealer
                .seal(&key, Self::NAME.as_bytes())
                .map_err(|detail| StoreError::Storage {
                    action: "seal the key of the store".to_owned(),
                    detail,
                })?;
        Ok((Self(key.to_vec()), sealed))
    }

    /// Opens the sealed form.
    pub(crate) fn open(sealer: &dyn Seal, sealed: &[u8]) -> Result<Self, StoreError> {
        let key = sealer.open(sealed, Self::NAME.as_bytes());
        key.map(Self).map_err(|_| StoreError::Unsealable {
            what: "the key of the store".to_owned(),
        })
    }
}

/// The id of a body. Parameters have a `key` instead; their id is made from it.
pub(crate) fn body_id(kind: &KindFacts, body: &Body) -> Result<Uuid, StoreError> {
    let malformed = |reason: &str| StoreError::Malformed {
        kind: kind.name.to_owned(),
        reason: reason.to_owned(),
    };
    match (body.get("id"), body.get("key")) {
        (Some(Value::String(id)), _) => {
            Uuid::try_parse(id).map_err(|_| malformed("its `id` is not a UUID"))
        }
        (None, Some(Value::String(key))) => {
            let space = Uuid::new_v5(&Uuid::NAMESPACE_OID, kind.name.as_bytes());
            Ok(Uuid::new_v5(&space, key.as_bytes()))
        }
        _ => Err(malformed("it has no `id`")),
    }
}

/// When a body says that it ends; `now` is in Unix seconds.
pub(crate) fn expiry(body: &Body, now: u64) -> Expiry {
    let Some(ttl) = body.get("ttl") else {
        return Expiry::Never;
    };
    // Durations may be fractions; a row lives at least as long as it was promised.
    let seconds = ttl.as_u64().or_else(|| {
        let seconds = ttl.as_f64()?.ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a conversion from float saturates, and nothing negative comes here"
        )]
        (seconds >= 0.0).then_some(seconds as u64)
    });
    match seconds {
        None | Some(0) => Expiry::Never,
        Some(moment) if moment > LONGEST_TTL => Expiry::At(moment),
        Some(seconds) => Expiry::After(now.saturating_add(seconds)),
    }
}

/// Binds a sealed value to its row, so that it opens nowhere else.
fn seal_context(plane: Uuid, kind: &str, id: Uuid) -> Vec<u8> {
    [plane.as_bytes(), kind.as_bytes(), id.as_bytes()].concat()
}

fn shorten(tag: &hmac::Tag) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&tag.as_ref()[..DIGEST_BYTES]);
    digest
}

/// Writes a document so that equal documents give equal bytes: members in ascending order.
fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => write_members(members, out, |_| true),
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            write_json(value, out);
        }
    }
}

fn write_members(members: &Body, out: &mut Vec<u8>, wanted: impl Fn(&str) -> bool) {
    let mut sorted: Vec<_> = members.iter().filter(|(key, _)| wanted(key)).collect();
    sorted.sort_unstable_by_key(|(key, _)| key.as_str());
    out.push(b'{');
    for (key, value) in sorted {
        write_json(key, out);
        out.push(b':');
        write_canonical(value, out);
        out.push(b',');
    }
    out.push(b'}');
}

fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Writing text and numbers into memory has no way to fail.
    drop(serde_json::to_writer(out, value));
}
