//! Certificates with their server names, which are entities of their own.
//!
//! Compat: `snis` in a body creates and removes server names along with the certificate, a
//! server name stands for its certificate in paths, and answers list the names.

use std::collections::HashMap;

use entities::EntityKind;
use http::StatusCode;
use schema::{Map, Violations};
use serde_json::{Value, json};
use store::Operation;
use uuid::Uuid;

use super::fault::{Deed, Fault};
use super::rows;
use super::serve::Call;
use crate::entity::{Draft, Listing, Parent, keys, writable};

const SNIS: &str = "snis";
/// Server names read at a time.
const PAGE: usize = 1000;

/// The certificate that a server name chooses.
pub(super) async fn of_sni(call: &Call<'_>, name: &str) -> Result<Option<Uuid>, Fault> {
    if let Some(kind) = call.api.entities.catalogue().kind(SNIS) {
        rows::check_key(kind, "name", name)?;
    }
    let plane = call.scope.control_plane;
    let source = call.api.entities.source();
    let row = source.find(plane, SNIS, "name", name).await;
    Ok(row.map_err(Fault::reading)?.as_ref().and_then(owner))
}

/// Compat: what an unknown server name in a path is answered with.
pub(super) fn no_sni() -> Fault {
    Fault::message(StatusCode::NOT_FOUND, "SNI not found")
}

/// Certificates of a list from which on their server names are read together.
const TOGETHER: usize = 20;

/// Adds the server names of certificates of a list.
pub(super) async fn add_snis_to_all(call: &Call<'_>, rows: &mut [Map]) -> Result<(), Fault> {
    if rows.len() < TOGETHER {
        for row in rows {
            add_snis(call, row).await?;
        }
        return Ok(());
    }
    let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
    for sni in snis(call, None).await? {
        let name = sni.get("name").and_then(Value::as_str);
        if let (Some(owner), Some(name)) = (owner(&sni), name) {
            names.entry(owner).or_default().push(name.to_owned());
        }
    }
    for row in rows {
        let mut own = keys::id(row).and_then(|id| names.remove(&id));
        own.iter_mut().for_each(|names| names.sort_unstable());
        row.insert(SNIS.to_owned(), json!(own.unwrap_or_default()));
    }
    Ok(())
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
pub(super) async fn create(
    call: &Call<'_>,
    kind: &EntityKind,
    mut body: Map,
) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "create", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let names = take_names(&mut body);
    let names = checked(call, names.unwrap_or_default(), None).await?;
    let draft = entities.draft_create(call.scope, kind, body, None).await;
    let draft = draft.map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, Some(names)), deed).await
}

/// Replaces a certificate with its server names, or creates it.
pub(super) async fn replace(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    mut body: Map,
) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "create or update", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let id = match Uuid::try_parse(key) {
        Ok(id) => id,
        // Compat: an unknown server name makes a certificate, without that name.
        Err(_) => of_sni(call, key).await?.unwrap_or_else(clock::new_uuid),
    };
    let names = take_names(&mut body);
    let names = checked(call, names.unwrap_or_default(), Some(id)).await?;
    let id = id.to_string();
    let stored = rows::find(call, kind, &id, None).await?;
    let draft = entities
        .draft_upsert(call.scope, kind, (&id, stored.as_ref()), (body, None))
        .await
        .map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, Some(names)), deed).await
}

/// Changes a certificate; its server names when they are named.
pub(super) async fn change(
    call: &Call<'_>,
    kind: &EntityKind,
    stored: Map,
    mut body: Map,
) -> Result<Value, Fault> {
    let deed = rows::deed(kind, "update", None);
    let entities = &call.api.entities;
    writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    // Compat: here, and only here, one name may stand without its list.
    if let Some(name @ Value::String(_)) = body.get_mut(SNIS) {
        *name = Value::Array(vec![name.take()]);
    }
    let names = match take_names(&mut body) {
        Some(names) => Some(checked(call, names, keys::id(&stored)).await?),
        None => None,
    };
    let draft = entities.draft_update(call.scope, kind, stored, body).await;
    let draft = draft.map_err(|error| Fault::of(error, deed))?;
    write(call, kind, (draft, names), deed).await
}

/// Takes the server names out of a body; what is no list of texts stays for the description to
/// refuse.
fn take_names(body: &mut Map) -> Option<Vec<String>> {
    let text = |name: &Value| name.as_str().map(str::to_owned);
    let names: Option<Vec<String>> = match body.get(SNIS)? {
        Value::Null => None,
        Value::Array(names) => Some(names.iter().map(text).collect::<Option<_>>()?),
        _ => return None,
    };
    body.shift_remove(SNIS);
    names
}

/// Server names that `certificate` can have, sorted.
///
/// Compat: they are looked at before the rest of the body, and the first fault is all that is
/// said.
async fn checked(
    call: &Call<'_>,
    mut names: Vec<String>,
    certificate: Option<Uuid>,
) -> Result<Vec<String>, Fault> {
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(bad_snis(&format!("{} is duplicated", twice[0])));
    }
    for name in &names {
        if let Some(holder) = of_sni(call, name).await?
            && Some(holder) != certificate
        {
            return Err(bad_snis(&format!(
                "{name} already associated with existing certificate '{holder}'"
            )));
        }
    }
    Ok(names)
}

/// Writes a certificate; its server names become exactly `names` when there are some.
async fn write(
    call: &Call<'_>,
    kind: &EntityKind,
    (draft, names): (Draft, Option<Vec<String>>),
    deed: Deed<'_>,
) -> Result<Value, Fault> {
    let id = keys::id(&draft.body);
    let id = id.ok_or_else(|| Fault::unexpected("a certificate has no id"))?;
    let mut operations = vec![draft.operation];
    if let Some(names) = names {
        operations.extend(sni_operations(call, id, &names, deed).await?);
    }
    let written = call.api.entities.commit(call.scope, operations).await;
    written.map_err(|error| Fault::of(error, deed))?;
    rows::shown(call, kind, draft.body).await
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
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(name));
        let field = "certificate";
        let parent = Parent { field, id };
        let draft = entities
            .draft_create(call.scope, kind, body, Some(parent))
            .await;
        operations.push(draft.map_err(|error| Fault::of(error, deed))?.operation);
    }
    Ok(operations)
}

fn bad_snis(message: &str) -> Fault {
    Fault::schema(&Violations::of(SNIS, message))
}

/// The server names of a certificate.
async fn own(call: &Call<'_>, id: Uuid) -> Result<Vec<Map>, Fault> {
    let field = "certificate";
    snis(call, Some(Parent { field, id })).await
}

/// All server names, or those of a certificate.
async fn snis(call: &Call<'_>, parent: Option<Parent>) -> Result<Vec<Map>, Fault> {
    let entities = &call.api.entities;
    let Some(kind) = entities.catalogue().kind(SNIS) else {
        return Ok(Vec::new());
    };
    let mut listing = Listing {
        size: PAGE,
        parent,
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
