//! Making tokens and codes.

use std::sync::Arc;

use plugin_api::Database;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::Fault;
use super::schema::Config;
use super::token::{Application, Token};

/// Length of tokens and codes, in characters.
const LENGTH: usize = 32;

/// Seconds in which a code must be exchanged.
const CODE_LIFE: u64 = 300;

/// What a token says.
#[derive(Clone, Copy, Default)]
pub(super) struct Grant<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
    /// Whether the token can be renewed.
    pub(super) is_renewable: bool,
    /// The token that is renewed.
    pub(super) renews: Option<&'a Token>,
    /// How the renewed token is renewed.
    pub(super) refresh_token: Option<&'a str>,
}

/// What a code remembers.
#[derive(Clone, Copy)]
pub(super) struct Agreement<'a> {
    pub(super) user: &'a str,
    pub(super) scope: Option<&'a str>,
    pub(super) challenge: Option<&'a str>,
}

/// Makes rows in the database.
pub(super) struct Issuer<'a> {
    pub(super) config: &'a Config,
    pub(super) database: &'a Arc<dyn Database>,
    /// Id of the plugin.
    pub(super) plugin: Uuid,
    /// The service that tokens are limited to.
    pub(super) service: Option<Uuid>,
    pub(super) now_ms: u64,
}

impl Issuer<'_> {
    fn now(&self) -> u64 {
        self.now_ms / 1000
    }

    /// Makes a token; gives what the application is told.
    pub(super) async fn token(
        &self,
        application: &Application,
        grant: Grant<'_>,
    ) -> Result<Map<String, Value>, Fault> {
        let life = self.config.token_expiration;
        let reused = grant.renews.filter(|_| self.config.reuse_refresh_token);
        let refresh = match (reused, grant.refresh_token) {
            (Some(_), Some(kept)) => Some(kept.to_owned()),
            _ if grant.is_renewable && life > 0 => Some(clock::random_alphanumeric(LENGTH)),
            _ => None,
        };
        let access = clock::random_alphanumeric(LENGTH);
        let id = reused.map_or_else(clock::new_uuid, |token| token.id);
        let mut row = Map::new();
        let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
        put("id", id.to_string().into());
        put("created_at", self.now().into());
        put("service", reference(self.service));
        put("credential", reference(Some(application.id)));
        put("token_type", "bearer".into());
        put("expires_in", life.into());
        put("access_token", access.clone().into());
        put("refresh_token", refresh.clone().into());
        put("authenticated_userid", grant.user.into());
        put("scope", grant.scope.into());
        if let Some(seconds) = self.row_life(refresh.is_some()) {
            put("ttl", (self.now() + seconds).into());
        }
        self.put(super::TOKENS, row).await?;
        if let (Some(old), None) = (grant.renews, reused) {
            self.take(super::TOKENS, old.id).await?;
        }
        let mut answer = Map::new();
        answer.insert("access_token".to_owned(), access.into());
        if life > 0 {
            answer.insert("expires_in".to_owned(), life.into());
        }
        if let Some(refresh) = refresh {
            answer.insert("refresh_token".to_owned(), refresh.into());
        }
        answer.insert("token_type".to_owned(), "bearer".into());
        Ok(answer)
    }

    /// How long the row of a token is kept.
    fn row_life(&self, is_renewable: bool) -> Option<u64> {
        let life = u64::try_from(self.config.token_expiration).unwrap_or(0);
        match (life, is_renewable, self.config.refresh_token_ttl) {
            (0, ..) | (_, true, 0) => None,
            (life, true, ttl) => Some(ttl.max(life)),
            (life, false, _) => Some(life),
        }
    }

    /// Makes a code.
    pub(super) async fn code(
        &self,
        application: &Application,
        agreement: Agreement<'_>,
    ) -> Result<String, Fault> {
        let code = clock::random_alphanumeric(LENGTH);
        let method = agreement.challenge.map(|_| "S256");
        let row = json!({
            "id": clock::new_uuid().to_string(),
            "created_at": self.now(),
            "service": reference(self.service),
            "credential": reference(Some(application.id)),
            "code": code,
            "authenticated_userid": agreement.user,
            "scope": agreement.scope,
            "challenge": agreement.challenge,
            "challenge_method": method,
            "plugin": reference(Some(self.plugin)),
            "ttl": self.now() + CODE_LIFE,
        });
        if let Value::Object(row) = row {
            self.put(super::CODES, row).await?;
        }
        Ok(code)
    }

    async fn put(&self, kind: &'static str, row: Map<String, Value>) -> Result<(), Fault> {
        let put = self.database.put(kind, row).await;
        put.map_err(|error| self.failed(&error))
    }

    /// Removes a row; tells whether it was there.
    pub(super) async fn take(&self, kind: &'static str, id: Uuid) -> Result<bool, Fault> {
        let taken = self.database.take(kind, id).await;
        taken.map_err(|error| self.failed(&error))
    }

    /// The row that holds a value, unless its end has come.
    pub(super) async fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        let found = self.database.find(kind, field, value.to_owned()).await;
        let found = found.map_err(|error| self.failed(&error))?;
        let is_over = |row: &Map<String, Value>| {
            let end = row.get("ttl").and_then(Value::as_u64);
            end.is_some_and(|end| end <= self.now())
        };
        Ok(found.filter(|row| !is_over(row)))
    }

    fn failed(&self, error: &plugin_api::DatabaseError) -> Fault {
        tracing::debug!(plugin = %self.plugin, %error, "tokens cannot be kept");
        Fault::Failure
    }
}

fn reference(id: Option<Uuid>) -> Value {
    id.map_or(Value::Null, |id| json!({"id": id.to_string()}))
}
