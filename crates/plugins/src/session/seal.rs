//! What a session is, and the seal under which it travels.
//!
//! A token is `version | id | nonce | sealed`, in base64 for URLs. The key comes from the secret of
//! the configuration; version, id and the cookie's name are part of what is verified.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Version of the form of tokens.
const VERSION: u8 = 1;

/// Bytes of a session's id.
pub(super) const ID_BYTES: usize = 32;

/// Limit: characters of a token that is looked at.
const TOKEN_MAX: usize = 4096;

/// Id of a session.
pub(super) type Id = [u8; ID_BYTES];

/// What is known of a session. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) audience: String,
    pub(super) subject: String,
    pub(super) consumer: String,
    pub(super) credential: String,
    /// When the caller signed in.
    pub(super) created: u64,
    /// When it was last renewed.
    pub(super) rolled: u64,
    /// When it was last used, to a few minutes.
    pub(super) seen: u64,
}

impl State {
    fn to_json(&self) -> Value {
        json!([
            self.audience,
            self.subject,
            self.consumer,
            self.credential,
            self.created,
            self.rolled,
            self.seen,
        ])
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |at: usize| value.get(at)?.as_str().map(str::to_owned);
        let time = |at: usize| value.get(at)?.as_u64();
        Some(Self {
            audience: text(0)?,
            subject: text(1)?,
            consumer: text(2)?,
            credential: text(3)?,
            created: time(4)?,
            rolled: time(5)?,
            seen: time(6)?,
        })
    }
}

/// Seals and opens tokens.
pub(super) struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// A sealer with the key of this secret; nothing only if the cryptography fails.
    pub(super) fn new(secret: &str) -> Option<Self> {
        let salt = Salt::new(HKDF_SHA256, b"gatehouse session");
        let derived = salt.extract(secret.as_bytes());
        let derived = derived.expand(&[b"token"], &AES_256_GCM).ok()?;
        Some(Self {
            key: LessSafeKey::new(UnboundKey::from(derived)),
        })
    }

    /// The token of a session. One without a state says the id only.
    pub(super) fn seal(&self, cookie: &str, id: &Id, state: Option<&State>) -> Option<String> {
        let plain = state.map_or(Value::Null, State::to_json).to_string();
        let sealed = self.seal_bytes(cookie, id, plain.as_bytes())?;
        let mut token = vec![VERSION];
        token.extend_from_slice(id);
        token.extend_from_slice(&sealed);
        Some(URL_SAFE_NO_PAD.encode(token))
    }

    /// The session of a token; nothing for one that this sealer did not make.
    pub(super) fn open(&self, cookie: &str, token: &str) -> Option<(Id, Option<State>)> {
        if token.len() > TOKEN_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (id, sealed) = rest.split_first_chunk::<ID_BYTES>()?;
        let plain = self.open_bytes(cookie, id, sealed)?;
        let value: Value = serde_json::from_slice(&plain).ok()?;
        Some((*id, State::from_json(&value)))
    }

    /// A state for the database, as text.
    pub(super) fn seal_row(&self, id: &Id, state: &State) -> Option<String> {
        let plain = state.to_json().to_string();
        let sealed = self.seal_bytes("row", id, plain.as_bytes())?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The state of a row.
    pub(super) fn open_row(&self, id: &Id, text: &str) -> Option<State> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = self.open_bytes("row", id, &sealed)?;
        State::from_json(&serde_json::from_slice(&plain).ok()?)
    }

    fn seal_bytes(&self, place: &str, id: &Id, plain: &[u8]) -> Option<Vec<u8>> {
        let nonce = clock::random_bytes::<NONCE_LEN>();
        let mut bytes = plain.to_vec();
        let aad = Aad::from(associated(place, id));
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_of, aad, &mut bytes)
            .ok()?;
        Some([&nonce[..], &bytes].concat())
    }

    fn open_bytes(&self, place: &str, id: &Id, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let aad = Aad::from(associated(place, id));
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.open_in_place(nonce, aad, &mut bytes).ok()?;
        Some(plain.to_vec())
    }
}

/// What is verified beside the sealed bytes.
fn associated(place: &str, id: &Id) -> Vec<u8> {
    [&[VERSION][..], id, place.as_bytes()].concat()
}
