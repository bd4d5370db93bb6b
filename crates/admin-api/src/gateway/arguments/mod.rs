//! The body of a request: JSON, a form or parts, as members of an entity.

mod form;
mod infer;
mod json;
pub(super) mod multipart;

use std::time::Duration;

use axum::body::{Body, HttpBody};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schema::{Map, Schema};
use serde_json::Value;

pub(super) use infer::number;

use super::answer::Reply;
use super::fault::Fault;

/// How long a whole body may take. Compat: the reference waits as long for a piece of it.
const BODY_TIME: Duration = Duration::from_secs(60);

/// Members that a caller sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    members: Map,
    /// Whether everything is text whose meaning the description decides.
    is_text: bool,
}

impl Arguments {
    /// The members as they were sent.
    ///
    /// Compat: the checks below `/schemas` do not read texts by the description.
    pub(super) fn raw(self) -> Map {
        self.members
    }

    /// A member as it was sent.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The members, texts of forms read as what the description expects.
    pub(super) fn read_as(self, schema: &Schema, has_ttl: bool) -> Map {
        let mut members = self.members;
        if self.is_text {
            infer::record(&mut members, schema);
            if has_ttl {
                infer::ttl(&mut members);
            }
        }
        members
    }
}

/// Reads the body of a request that may have one.
///
/// Compat: what is not one of the three types, or has no type, is answered with a page.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Arguments, Fault> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let content_type = types.next();
    if types.next().is_some() {
        return Err(Fault::bad_request("more than one Content-Type"));
    }
    let bytes = whole(body, limit).await?;
    let unsupported = || Fault::from(Reply::page(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    let Some(content_type) = content_type else {
        return if bytes.is_empty() {
            Ok(Arguments::default())
        } else {
            Err(unsupported())
        };
    };
    let content_type = content_type.to_str().map_err(|_| unsupported())?;
    let (members, is_text) = if content_type.starts_with("application/json") {
        (json::read(&bytes)?, false)
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        (form::read(super::query::pairs(&bytes)?), true)
    } else if content_type.starts_with("multipart/form-data") {
        (form::read(multipart::read(content_type, &bytes)?), true)
    } else {
        return Err(unsupported());
    };
    Ok(Arguments { members, is_text })
}

/// The whole body, if it is not larger than the limit.
pub(super) async fn whole(body: Body, limit: usize) -> Result<bytes::Bytes, Fault> {
    let too_large = || Fault::from(Reply::page(StatusCode::PAYLOAD_TOO_LARGE));
    // One that says so at the start is not waited for.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(BODY_TIME, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Fault::bad_request("the body broke off")),
        Err(_) => Err(Reply::page(StatusCode::REQUEST_TIMEOUT).into()),
    }
}
