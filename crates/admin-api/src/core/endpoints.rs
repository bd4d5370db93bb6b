//! Every operation of this dialect, for the machine-readable description and for tests that walk
//! all of them.

use entities::{Catalogue, EntityKind};
use serde_json::{Map, Value, json};

use super::Mount;
use super::table::{Access, FLAT, MEMBERSHIPS, Membership, NESTED};
use entities::brought as custom;
use openapi::{self, ErrorForm, Operation, Query, page, reference};

const PAGING: [Query; 3] = [
    Query::number(
        "size",
        (1, 1000),
        "Entities of a page; 100 when it is not given",
    ),
    Query::text("offset", "The `offset` of the page before"),
    Query::text(
        "tags",
        "Only entities with all of these tags (`a,b`) or any of them (`a/b`)",
    ),
];

/// Everything that [`super::router`] serves at that place.
#[must_use]
pub fn operations(catalogue: &Catalogue, mount: Mount) -> Vec<Operation> {
    let mut found = Operations {
        mount,
        found: Vec::new(),
    };
    for flat in FLAT {
        if let Some(kind) = catalogue.kind(flat.kind) {
            found.collection(kind.path, kind, flat.access);
        }
    }
    for row in NESTED {
        let (parent, kind) = (catalogue.kind(row.parent), catalogue.kind(row.kind));
        if let (Some(parent), Some(kind)) = (parent, kind) {
            let path = format!("{}/{{parent}}/{}", parent.path, row.path);
            found.collection(&path, kind, Access::Full);
        }
    }
    for membership in MEMBERSHIPS {
        let owner = catalogue.kind(membership.owner);
        if let (Some(owner), Some(_)) = (owner, catalogue.kind(membership.between)) {
            found.members(owner, membership);
        }
    }
    if catalogue.kind("partials").is_some() {
        found.partials();
    }
    found.plugin_schemas();
    found.schemas();
    found.found
}

/// The named schemas that [`operations`] refer to.
#[must_use]
pub fn schemas(catalogue: &Catalogue) -> Map<String, Value> {
    let flat = FLAT.iter().map(|row| row.kind);
    let kinds = flat.chain(NESTED.iter().map(|row| row.kind));
    kinds
        .filter_map(|name| catalogue.kind(name))
        .map(|kind| (kind.name.to_owned(), openapi::component(kind)))
        .collect()
}

struct Operations {
    mount: Mount,
    found: Vec<Operation>,
}

impl Operations {
    /// Adds an operation with what all of this dialect share; the rest is the caller's.
    fn add(
        &mut self,
        method: &'static str,
        path: &str,
        tag: &'static str,
        summary: &str,
    ) -> &mut Operation {
        let base = self.mount.base();
        let mut operation = Operation::new(method, format!("{base}/{path}"), summary);
        operation.tag = tag;
        operation.errors = ErrorForm::Configuration;
        operation.access = match self.mount {
            Mount::CoreEntities => openapi::Access::Token,
            Mount::IngressController => openapi::Access::Certificate,
        };
        self.found.push(operation);
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn collection(&mut self, path: &str, kind: &EntityKind, access: Access) {
        let item = format!("{path}/{{key}}");
        let (one, many) = (words(kind.singular), words(kind.name));
        let schema = reference(kind.name);
        let list = self.add("GET", path, kind.name, &format!("List {many}"));
        list.query = PAGING.to_vec();
        list.query.extend(filters(kind));
        list.answer = Some(page(&schema));
        if access == Access::Full {
            let create = self.add("POST", path, kind.name, &format!("Create a {one}"));
            create.success = vec![201];
            create.body = Some(schema.clone());
            create.answer = Some(schema.clone());
        }
        if access == Access::List {
            return;
        }
        let get = self.add("GET", &item, kind.name, &format!("Read a {one}"));
        get.answer = Some(schema.clone());
        if kind.name == "plugins" {
            let flag = Query::flag("expand_partials", "Whether to work its partials in");
            get.query = vec![flag];
        }
        if kind.name == "consumer_groups" {
            get.query = vec![Query::text(
                "list_consumers",
                "`false` leaves its consumers out",
            )];
            get.answer = Some(json!({
                "type": "object",
                "required": ["consumer_group", "plugins"],
                "properties": {
                    "consumer_group": schema,
                    "consumers": {"type": "array", "items": reference("consumers")},
                    "plugins": {"type": "array", "items": reference("plugins")},
                },
            }));
        }
        if access != Access::Full {
            return;
        }
        let put = self.add(
            "PUT",
            &item,
            kind.name,
            &format!("Create or replace a {one}"),
        );
        put.body = Some(schema.clone());
        put.answer = Some(schema);
        let delete = self.add("DELETE", &item, kind.name, &format!("Delete a {one}"));
        delete.success = vec![204];
    }

    fn members(&mut self, owner: &EntityKind, membership: &Membership) {
        let path = format!("{}/{{parent}}/{}", owner.path, membership.path);
        let item = format!("{path}/{{key}}");
        let (tag, schema) = (owner.name, reference(membership.member));
        let of = format!(
            "{} of a {}",
            words(membership.member),
            words(owner.singular)
        );
        let list = self.add("GET", &path, tag, &format!("List {of}"));
        list.query = PAGING.to_vec();
        list.answer = Some(page(&schema));
        let add = self.add("POST", &path, tag, &format!("Add to the {of}"));
        add.success = vec![201];
        let member = membership.body;
        add.body = Some(json!({
            "type": "object",
            "required": [member],
            "properties": {member: {"type": "string", "minLength": 1}},
        }));
        let (owner_field, path_field) = (membership.owner_field, membership.path);
        add.answer = Some(json!({
            "type": "object",
            "required": [owner_field, path_field],
            "properties": {
                owner_field: reference(owner.name),
                path_field: {"type": "array", "items": schema},
            },
        }));
        let clear = self.add("DELETE", &path, tag, &format!("Remove all {of}"));
        clear.success = vec![204];
        let delete = self.add("DELETE", &item, tag, &format!("Remove one of the {of}"));
        delete.success = vec![204];
    }

    fn partials(&mut self) {
        let tag = "partials";
        let summary = "The description of a type of partials";
        self.add("GET", "schemas/partials/{type}", "schemas", summary)
            .answer = Some(form());
        let summary = "List the plugins that use a partial";
        let links = self.add("GET", "partials/{parent}/links", tag, summary);
        links.query = PAGING.to_vec();
        let mut answer = page(&json!({
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": {"type": "string"},
                "name": {"type": "string"},
                "instance_name": {"type": ["string", "null"]},
            },
        }));
        answer["properties"]["count"] = json!({"type": "integer"});
        links.answer = Some(answer);
    }

    fn plugin_schemas(&mut self) {
        let (path, tag) = ("plugin-schemas", "plugin schemas");
        let text = json!({"type": "string", "minLength": 1, "maxLength": custom::MAX_TEXT});
        let seconds = json!({"type": "integer"});
        let shown = json!({
            "type": "object",
            "required": ["name", "lua_schema", "created_at", "updated_at"],
            "properties": {
                "name": {"type": "string"},
                "lua_schema": text,
                "created_at": seconds,
                "updated_at": seconds,
            },
        });
        let item = json!({
            "type": "object",
            "required": ["item"],
            "properties": {"item": shown},
        });
        let body = json!({
            "type": "object",
            "required": ["lua_schema"],
            "properties": {"lua_schema": text},
        });
        let list = self.add("GET", path, tag, "List descriptions of brought plugins");
        list.query = vec![
            Query::number(
                "page[size]",
                (1, 1000),
                "Items of a page; 100 when not given",
            ),
            Query::text("page[after]", "The `next` of the page before"),
        ];
        list.answer = Some(json!({
            "type": "object",
            "required": ["items", "page"],
            "properties": {
                "items": {"type": "array", "items": shown},
                "page": {
                    "type": "object",
                    "required": ["total_count"],
                    "properties": {"total_count": seconds, "next": {"type": "string"}},
                },
            },
        }));
        let create = self.add("POST", path, tag, "Describe a plugin");
        create.success = vec![201];
        create.body = Some(body.clone());
        create.answer = Some(item.clone());
        let one = "plugin-schemas/{name}";
        self.add("GET", one, tag, "Read the description of a plugin")
            .answer = Some(item.clone());
        let put = self.add("PUT", one, tag, "Describe a plugin, or describe it anew");
        put.body = Some(body);
        put.answer = Some(item);
        let delete = self.add("DELETE", one, tag, "Delete the description of a plugin");
        delete.success = vec![204];
    }

    fn schemas(&mut self) {
        for (path, summary) in [
            ("schemas/{entity}", "The description of an entity"),
            ("schemas/plugins/{name}", "The description of a plugin"),
        ] {
            self.add("GET", path, "schemas", summary).answer = Some(form());
        }
        let path = "v1/schemas/json/{entity}";
        let json_schema = self.add("GET", path, "schemas", "The JSON schema of an entity");
        json_schema.answer = Some(json!({"type": "object", "required": ["properties"]}));
        let path = "schemas/{entity}/validate";
        let summary = "Check an entity without writing it";
        let validate = self.add("POST", path, "schemas", summary);
        validate.body = Some(json!({"type": "object"}));
        validate.answer = Some(json!({
            "type": "object",
            "required": ["message"],
            "properties": {"message": {"type": "string"}},
        }));
    }
}

/// A description in the form in which the gateway itself gives it.
fn form() -> Value {
    json!({
        "type": "object",
        "required": ["fields"],
        "properties": {"fields": {"type": "array"}},
    })
}

/// The members that a list can be filtered by.
fn filters(kind: &EntityKind) -> Vec<Query> {
    let mut found = Vec::new();
    let has = |name| kind.schema.find(name).is_some();
    if has("name") {
        found.push(Query::text("filter[name][eq]", "Only the one of this name"));
        found.push(Query::text(
            "filter[name][contains]",
            "Only those with this in their names",
        ));
    }
    if has("username") {
        found.push(Query::text(
            "filter[username][eq]",
            "Only those of this user name",
        ));
    }
    if has("custom_id") {
        found.push(Query::text("custom_id", "Only the one of this custom id"));
    }
    found
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}
