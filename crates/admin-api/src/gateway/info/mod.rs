//! What the process says of itself: paths that are not about entities.
//!
//! Everything here is asked from [`Facts`](super::Facts); nothing is known by this module.

use http::{Method, StatusCode};
use serde_json::json;

use super::answer::Reply;
use super::facts::FactError;
use super::fault::Fault;
use super::serve::Call;

/// A path that is not about entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `/`
    Root,
    /// `/status`
    Status,
    /// `/plugins/enabled`
    EnabledPlugins,
}

/// What a path means; `None` when it is about entities or nothing.
pub(super) fn resolve(segments: &[String]) -> Option<Place> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match *segments.as_slice() {
        [] => Some(Place::Root),
        ["status"] => Some(Place::Status),
        ["plugins", "enabled"] => Some(Place::EnabledPlugins),
        _ => None,
    }
}

/// The methods of a path, without `HEAD` and `OPTIONS`.
pub(super) const fn methods(_place: &Place) -> &'static [Method] {
    &[Method::GET]
}

/// Answers.
pub(super) async fn serve(call: Call<'_>, place: Place) -> Result<Reply, Fault> {
    let facts = &call.api.facts;
    let body = match place {
        Place::Root => facts.root(call.scope).await,
        Place::Status => facts.status(call.scope, call.raw_query).await,
        Place::EnabledPlugins => Ok(json!({"enabled_plugins": facts.enabled_plugins()})),
    };
    body.map(Reply::ok).map_err(fault)
}

/// A question without an answer, in this dialect.
fn fault(error: FactError) -> Fault {
    match error {
        FactError::NotFound => Fault::not_found(),
        FactError::Refused(text) => Fault::bad_request(&text),
        FactError::Unavailable(text) => {
            tracing::error!(reason = text, "the Admin API could not answer");
            let text = "not available at the moment";
            Fault::message(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}
