//! Descriptions of entities, plugins and vaults, and checks without writing.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Reply;
use super::fault::Fault;
use super::place::Place;
use super::rows;
use super::serve::Call;

/// Answers for a path below `/schemas`.
pub(super) async fn serve(call: Call<'_>, place: &Place<'_>) -> Result<Reply, Fault> {
    let entities = call.api.entities.clone();
    let catalogue = entities.catalogue();
    let with_plugin = async |name: &str| {
        let found = entities.catalogue_with(call.scope, name).await;
        found.map_err(Fault::reading)
    };
    match place {
        Place::Schema(name) => {
            let kind = catalogue.kind(name).filter(|kind| kind.name == name);
            let kind = kind.ok_or_else(|| unknown("entity", name))?;
            Ok(Reply::ok(kind.schema.admin_form()))
        }
        Place::PluginSchema(name) => {
            let form = with_plugin(name).await?.plugin_form(name);
            Ok(Reply::ok(form.ok_or_else(|| unknown("plugin", name))?))
        }
        Place::OldPluginSchema(name) => {
            let catalogue = with_plugin(name).await?;
            let schema = catalogue.plugins().schema(name);
            let schema = schema.ok_or_else(|| unknown("plugin", name))?;
            let mut form = Map::new();
            if let Value::Object(config) = schema.config_form() {
                form.extend(config);
            }
            // Compat: members and checks only, as if they stood in no plugin.
            form.retain(|name, _| matches!(name.as_str(), "fields" | "entity_checks"));
            form.entry("entity_checks").or_insert_with(|| json!([]));
            Ok(Reply::ok(form))
        }
        Place::PartialSchema(name) => {
            let form = catalogue.partial_form(name);
            Ok(Reply::ok(form.ok_or_else(|| unknown("partial", name))?))
        }
        Place::FilterSchema(name) => {
            let message = format!("Filter '{name}' not found");
            Err(Fault::message(StatusCode::NOT_FOUND, &message))
        }
        Place::VaultSchema(name) => {
            let form = catalogue.vault_form(name);
            Ok(Reply::ok(form.ok_or_else(|| unknown("vault", name))?))
        }
        Place::Validate(name) => {
            let kind = catalogue.kind(name).filter(|kind| kind.name == name);
            let kind = kind.ok_or_else(|| unknown("entity", name))?;
            let deed = rows::deed(kind, "create", None);
            let checked = entities.check(call.scope, kind, call.arguments.raw()).await;
            checked.map_err(|error| Fault::of(error, deed))?;
            let message = "schema validation successful";
            Ok(Reply::message(StatusCode::OK, message))
        }
        _ => Err(Fault::not_found()),
    }
}

fn unknown(what: &str, name: &str) -> Fault {
    let message = format!("No {what} named '{name}'");
    Fault::message(StatusCode::NOT_FOUND, &message)
}
