//! Who calls, and whether they may: before any handler runs.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use identity::{Action, AuthError, Identity, Principal, Resource, ResourceKind};
use store::Actor;
use uuid::Uuid;

use super::legacy::Legacy;
use super::problem::Problem;
use crate::error::{InvalidParameter, PlaneError};
use crate::model::ControlPlane;
use crate::planes::Planes;

/// Characters of an `Authorization` value that are looked at; tokens are far shorter.
const MAX_BEARER: usize = 4096;

/// The forms in which errors are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `application/problem+json` of control planes and their siblings.
    Platform,
    /// The same with the titles of the identity APIs.
    Identity,
    /// The older form of the gateway-configuration APIs.
    Configuration,
}

impl Family {
    /// The form for a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next(), segments.nth(1)) {
            (
                Some("v2"),
                Some("control-planes"),
                Some(
                    "admin"
                    | "core-entities"
                    | "dp-client-certificates"
                    | "nodes"
                    | "expected-config-hash"
                    | "expected-config-version"
                    | "declarative"
                    | "declarative-configuration"
                    | "revisions",
                ),
            ) => Self::Configuration,
            (Some("kic"), Some("api"), _) => Self::Configuration,
            (Some("v2" | "v3"), Some("organizations" | "users"), _) => Self::Identity,
            _ => Self::Platform,
        }
    }

    /// The form for a machine-readable description.
    #[must_use]
    pub const fn form(self) -> openapi::ErrorForm {
        match self {
            Self::Platform | Self::Identity => openapi::ErrorForm::Problem,
            Self::Configuration => openapi::ErrorForm::Configuration,
        }
    }

    /// The answer to a caller without a good token.
    #[must_use]
    pub fn unauthenticated(self) -> Response {
        match self {
            Self::Platform => Problem::unauthenticated().into_response(),
            Self::Identity => Problem::unauthenticated()
                .titled("Unauthorized")
                .into_response(),
            Self::Configuration => Legacy::unauthorized().into_response(),
        }
    }

    /// Any other answer.
    #[must_use]
    pub fn answer(self, status: StatusCode, detail: &str) -> Response {
        match self {
            Self::Platform | Self::Identity => Problem::new(status, detail).into_response(),
            Self::Configuration => Legacy::new(status, detail).into_response(),
        }
    }
}

/// Lets a request through only with a good token, and notes whose it is.
pub async fn authenticate(
    State(identity): State<Identity>,
    mut request: Request,
    next: Next,
) -> Response {
    let family = Family::of(request.uri().path());
    let Some(token) = bearer(request.headers()) else {
        return family.unauthenticated();
    };
    match identity.authenticate(token).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(AuthError::Unavailable(error)) => {
            tracing::error!(%error, "tokens cannot be checked");
            family.answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "Tokens cannot be checked now",
            )
        }
        Err(_) => family.unauthenticated(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && value.len() <= MAX_BEARER;
    is_bearer.then(|| token.trim())
}

/// What a method does to a thing.
#[must_use]
pub fn action(method: &Method) -> Action {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Action::Read,
        Method::POST => Action::Create,
        Method::DELETE => Action::Delete,
        _ => Action::Update,
    }
}

/// Who is written into the audit row of a change.
#[must_use]
pub fn actor(principal: &Principal) -> Actor {
    let kind = match (principal.user, principal.system_account) {
        (Some(_), _) => "user",
        (None, Some(_)) => "system_account",
        (None, None) => "unknown",
    };
    Actor {
        kind: kind.to_owned(),
        id: principal.id(),
    }
}

/// Why somebody does not get a control plane.
#[derive(Debug)]
pub enum Refusal {
    /// The id is none.
    Malformed,
    /// The caller sees it but may not do this.
    Forbidden,
    /// Missing, another organisation's, or unreadable.
    Plane(PlaneError),
}

impl Refusal {
    /// The answer in the form of a family.
    #[must_use]
    pub fn answer(self, family: Family) -> Response {
        match family {
            Family::Platform | Family::Identity => Problem::from(self).into_response(),
            Family::Configuration => Legacy::from(self).into_response(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed => {
                let mut fault = InvalidParameter::body("id", "is_uuid", "must be a UUID");
                fault.source = "path";
                Self::invalid(vec![fault])
            }
            Refusal::Forbidden => Self::forbidden(),
            Refusal::Plane(error) => error.into(),
        }
    }
}

impl From<Refusal> for Legacy {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // An id that is none is nobody's: the older form has no place for a path's faults.
            Refusal::Malformed => Self::new(StatusCode::NOT_FOUND, "Not Found"),
            Refusal::Forbidden => Self::new(StatusCode::FORBIDDEN, "Forbidden"),
            Refusal::Plane(error) => error.into(),
        }
    }
}

/// The control plane named in a path, if the caller may do `action` to that part of it.
///
/// # Errors
///
/// [`Refusal`]; a missing one and another organisation's are one and the same.
pub async fn plane(
    planes: &Planes,
    principal: &Principal,
    id: &str,
    action: Action,
    kind: ResourceKind,
) -> Result<ControlPlane, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::Malformed)?;
    let plane = planes
        .get(principal.organisation, id)
        .await
        .map_err(Refusal::Plane)?;
    let resource = Resource::of_plane(kind, plane.organisation, plane.id);
    if identity::permits(principal, action, &resource) {
        Ok(plane)
    } else {
        Err(Refusal::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_errors_follows_the_path() {
        let plane = "/v2/control-planes/5f0a54cb-2f6e-4c27-9c0a-9b8c5d0b7f11";
        let table = [
            ("/v2/control-planes", Family::Platform),
            (plane, Family::Platform),
            (&format!("{plane}/group-status"), Family::Platform),
            (
                &format!("{plane}/core-entities/services"),
                Family::Configuration,
            ),
            (
                &format!("{plane}/dp-client-certificates"),
                Family::Configuration,
            ),
            (&format!("{plane}/nodes/eol"), Family::Configuration),
            (
                &format!("{plane}/expected-config-hash"),
                Family::Configuration,
            ),
            ("/kic/api/control-planes/x/services", Family::Configuration),
            ("/v2/organizations/me", Family::Identity),
            ("/v3/users/me", Family::Identity),
            ("/konnect-api/api/runtime_groups", Family::Platform),
        ];
        for (path, family) in table {
            assert_eq!(Family::of(path), family, "{path}");
        }
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer kpat_x").as_deref(), Some("kpat_x"));
        assert_eq!(read("bearer  kpat_x").as_deref(), Some("kpat_x"));
        assert_eq!(read("Basic kpat_x"), None);
        assert_eq!(read("kpat_x"), None);
        assert_eq!(read(&format!("Bearer {}", "x".repeat(5000))), None);
    }
}
