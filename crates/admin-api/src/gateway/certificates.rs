//! Certificates with their server names, which are entities of their own.
//!
//! Compat: `snis` in a body creates and removes server names along with the certificate, a
//! server name stands for its certificate in paths, and answers list the names.

use entities::EntityKind;
use http::StatusCode;
use schema::{Map, Violations};
use serde_json::{Value, json};
use store::Operation;
use uuid::Uuid;

use super::fault::{Deed, Fault};
use super::rows;
use super::serve::Call;
use crate::entity::{Draft, EntityError, Listing, Parent, keys, writable};

const SNIS: &str = "snis";
/// Server names read at a time.
const PAGE: usize = 1000;

/// The certificate that a server name chooses.
pub(super) async fn of_sni(call: &Call<'_>, name: &str) -> Result<Option<Uuid>, Fault> {
    let plane = call.scope.control_plane;
    let source = call.api.entities.source();
    let row = source.find(plane, SNIS, "name", name).await;
    Ok(row.map_err(Fault::reading)?.as_ref().and_then(owner))
}

/// Compat: what an unknown server name in a path is answered with.
pub(super) fn no_sni() -> Fault {
    Fault::message(StatusCode::NOT_FOUND, "SNI not found")
}

/// Adds the server names of a certificate, sorted.
pub(super) async fn add_snis(call: &Call<'_>, row: &mut Map) -> Result<(), Fault> {
    let Some(id) = keys::id(row) else {
        return Ok(());
    };
    let mut names: Vec<String> = own(call, id)
        .await?
        .iter()
        .filter_map(|row| Some(row.get("name")?.as_str()?.to_owned()))
        .collect();
    names.sort_unstable();
    row.insert(SNIS.to_owned(), json!(names));
    Ok(())
}

/// Creates a certificate with its server names.
pub(super) async fn create(call: &Call<'_>, kind: &EntityKind, body: Map) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "create", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let draft = entities.draft_create(call.scope, kind, body, None).await;
    let draft = draft.map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, Missing::Removes), deed).await
}

/// Replaces a certificate with its server names, or creates it.
pub(super) async fn replace(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    body: Map,
) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "create or update", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let id = match Uuid::try_parse(key) {
        Ok(id) => id,
        // Compat: an unknown server name makes a certificate, without that name.
        Err(_) => of_sni(call, key).await?.unwrap_or_else(clock::new_uuid),
    };
    let id = id.to_string();
    let stored = rows::find(call, kind, &id, None).await?;
    let draft = entities
        .draft_upsert(call.scope, kind, (&id, stored.as_ref()), (body, None))
        .await
        .map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, Missing::Removes), deed).await
}

/// Changes a certificate; its server names when they are named.
pub(super) async fn change(
    call: &Call<'_>,
    kind: &EntityKind,
    stored: Map,
    body: Map,
) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "update", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let draft = entities.draft_update(call.scope, kind, stored, body).await;
    let draft = draft.map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, Missing::Keeps), deed).await
}

/// What a body without server names means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Removes,
    Keeps,
}

async fn write(
    call: &Call<'_>,
    kind: &EntityKind,
    (draft, missing): (Draft, Missing),
    deed: Deed<'_>,
) -> Result<Value, Fault> {
    let entities = &call.api.entities;
    let (draft, names) = take_snis(draft);
    let id = keys::id(&draft.body);
    let id = id.ok_or_else(|| Fault::unexpected("a certificate has no id"))?;
    let mut operations = vec![draft.operation];
    let names = match (names, missing) {
        (None, Missing::Keeps) => None,
        (names, _) => Some(names.unwrap_or_default()),
    };
    if let Some(names) = names {
        operations.extend(sni_operations(call, id, &names, deed).await?);
    }
    let written = entities.commit(call.scope, operations).await;
    written.map_err(|error| Fault::of(error, deed))?;
    rows::shown(call, kind, draft.body).await
}

/// Takes the server names out of a draft: they are not part of the row.
fn take_snis(mut draft: Draft) -> (Draft, Option<Vec<String>>) {
    let names = draft.body.shift_remove(SNIS);
    match &mut draft.operation {
        Operation::Insert { body, .. }
        | Operation::Upsert { body, .. }
        | Operation::UpdateFrom { body, .. } => {
            body.shift_remove(SNIS);
        }
        _ => {}
    }
    let text = |name: Value| name.as_str().map(str::to_owned);
    let names = match names {
        Some(Value::Array(names)) => Some(names.into_iter().filter_map(text).collect()),
        _ => None,
    };
    (draft, names)
}

/// What makes the server names of a certificate exactly these.
async fn sni_operations(
    call: &Call<'_>,
    id: Uuid,
    names: &[String],
    deed: Deed<'_>,
) -> Result<Vec<Operation>, Fault> {
    let entities = &call.api.entities;
    let kind = entities.catalogue().kind(SNIS);
    let kind = kind.ok_or_else(|| Fault::unexpected("there are no server names"))?;
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| other == name) {
            return Err(bad_snis(&format!("{name} is duplicated")));
        }
    }
    let own = own(call, id).await?;
    let mut operations = Vec::new();
    for row in &own {
        let name = row.get("name").and_then(Value::as_str);
        let stays = names.iter().any(|other| Some(other.as_str()) == name);
        if let (false, Some(id)) = (stays, keys::id(row)) {
            operations.push(Operation::Delete { kind: SNIS, id });
        }
    }
    for name in names {
        if own.iter().any(|row| row.get("name") == Some(&json!(name))) {
            continue;
        }
        if let Some(holder) = of_sni(call, name).await? {
            return Err(bad_snis(&format!(
                "{name} already associated with existing certificate '{holder}'"
            )));
        }
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(name));
        let field = "certificate";
        let parent = Parent { field, id };
        let draft = entities
            .draft_create(call.scope, kind, body, Some(parent))
            .await;
        let draft = draft.map_err(|error: EntityError| Fault::of(error, deed))?;
        operations.push(draft.operation);
    }
    Ok(operations)
}

fn bad_snis(message: &str) -> Fault {
    Fault::schema(&Violations::of(SNIS, message))
}

/// The server names of a certificate.
async fn own(call: &Call<'_>, id: Uuid) -> Result<Vec<Map>, Fault> {
    let entities = &call.api.entities;
    let Some(kind) = entities.catalogue().kind(SNIS) else {
        return Ok(Vec::new());
    };
    let field = "certificate";
    let mut listing = Listing {
        size: PAGE,
        parent: Some(Parent { field, id }),
        ..Listing::default()
    };
    let mut found = Vec::new();
    loop {
        let page = entities.list(call.scope, kind, &listing).await;
        let page = page.map_err(Fault::reading)?;
        found.extend(page.rows);
        listing.after = page.next;
        if listing.after.is_none() {
            return Ok(found);
        }
    }
}

fn owner(sni: &Map) -> Option<Uuid> {
    let id = sni.get("certificate")?.get("id")?;
    Uuid::try_parse(id.as_str()?).ok()
}
