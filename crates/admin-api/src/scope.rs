//! For whom and where a request works.

use store::Actor;
use uuid::Uuid;

/// The control plane that a request was let into, and by whom. Left in the request's extensions
/// by whoever checked the caller.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The control plane.
    pub control_plane: Uuid,
    /// Who is written into the audit row.
    pub actor: Actor,
    /// Why nothing can be written here, if so; a sentence for a person.
    pub read_only: Option<&'static str>,
}
