//! Applications and tokens as the data path sees them.

use std::any::Any;
use std::sync::Arc;

use schema::Reader;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::secret::Secret;

/// An application.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) id: Uuid,
    pub(super) client_id: String,
    pub(super) secret: Option<Secret>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) is_public: bool,
}

/// What was given to an application.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) id: Uuid,
    /// The service it is limited to.
    pub(super) service: Option<Uuid>,
    /// Id of the application.
    pub(super) application: Uuid,
    /// Seconds after `created_at` at which it ends; 0 never.
    pub(super) expires_in: i64,
    /// Unix seconds.
    pub(super) created_at: i64,
    pub(super) scope: Option<String>,
    pub(super) user: Option<String>,
}

impl Token {
    /// Reads a row.
    pub(super) fn read(row: &Map<String, Value>) -> Option<Self> {
        let read = Reader::new(super::TOKENS, row);
        Some(Self {
            id: id(&read, "id")?,
            service: foreign(&read, "service"),
            application: foreign(&read, "credential")?,
            expires_in: read.integer("expires_in").ok().flatten().unwrap_or(0),
            created_at: read.integer("created_at").ok().flatten().unwrap_or(0),
            scope: read.text("scope").ok().flatten(),
            user: read.text("authenticated_userid").ok().flatten(),
        })
    }

    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        self.expires_in > 0 && self.created_at.saturating_add(self.expires_in) < now
    }
}

/// The id under a member.
pub(super) fn id(read: &Reader<'_>, field: &'static str) -> Option<Uuid> {
    Uuid::parse_str(&read.text(field).ok()??).ok()
}

/// The id of another row under a member.
pub(super) fn foreign(read: &Reader<'_>, field: &'static str) -> Option<Uuid> {
    Uuid::parse_str(read.foreign(field).ok()??).ok()
}

/// What is kept of an application.
pub(super) fn prepare_application(row: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    let read = Reader::new(super::APPLICATIONS, row);
    let secret = read.text("client_secret").ok().flatten();
    let kind = read.text("client_type").ok().flatten();
    Some(Arc::new(Application {
        id: id(&read, "id")?,
        client_id: read.text("client_id").ok().flatten()?,
        secret: secret.map(Secret::new),
        redirect_uris: read.texts("redirect_uris").ok()?,
        is_public: kind.as_deref() == Some("public"),
    }))
}

/// What is kept of a token.
pub(super) fn prepare_token(row: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    Some(Arc::new(Token::read(row)?))
}
