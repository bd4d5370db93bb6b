//! One request to this dialect, as all its handlers see it.

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use entities::EntityKind;
use http::{HeaderMap, Method, header};
use schema::Map;
use serde_json::Value;

use super::error::CoreError;
use super::target::Nest;
use crate::entity::{Entities, Parent};
use crate::scope::Scope;

pub(super) struct Call<'r> {
    pub(super) entities: &'r Entities,
    pub(super) scope: &'r Scope,
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    pub(super) query: Option<&'r str>,
    pub(super) body: &'r Bytes,
}

impl Call<'_> {
    /// The last value of a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.unwrap_or_default().as_bytes())
            .filter(|(key, _)| key == name)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// The answer of something that can only be read; `None` is answered as missing.
    pub(super) fn reads(
        &self,
        body: impl FnOnce() -> Option<Value>,
    ) -> Result<Response, CoreError> {
        if *self.method != Method::GET {
            return Err(CoreError::MethodNotAllowed("GET, HEAD"));
        }
        let body = body().ok_or(CoreError::NotFound)?;
        Ok(Json(body).into_response())
    }

    /// The entity that a collection lies in, if it lies in one.
    pub(super) async fn parent(&self, nest: &Nest<'_>) -> Result<Option<Parent>, CoreError> {
        let Nest::Inside {
            kind, key, field, ..
        } = nest
        else {
            return Ok(None);
        };
        let parent = self.entities.parent(self.scope, kind, key, field).await?;
        Ok(Some(parent))
    }

    /// A kind that the tables of this dialect name.
    pub(super) fn kind(&self, name: &str) -> Result<&EntityKind, CoreError> {
        self.entities
            .catalogue()
            .kind(name)
            .ok_or(CoreError::NotFound)
    }

    /// The members of the body.
    pub(super) fn object(&self) -> Result<Map, CoreError> {
        let content_type = self.headers.get(header::CONTENT_TYPE);
        let is_json = content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| {
                let essence = text.split(';').next().unwrap_or_default().trim();
                essence.eq_ignore_ascii_case("application/json")
            });
        if !is_json {
            return Err(CoreError::UnsupportedMediaType);
        }
        serde_json::from_slice(self.body).map_err(|error| CoreError::Unreadable(error.to_string()))
    }
}
