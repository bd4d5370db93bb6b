//! How the targets of an upstream do, and marking them.
//!
//! Which targets there are comes from the entities; how they do, from the process.

use std::collections::HashSet;

use entities::EntityKind;
use schema::Map;
use serde_json::{Value, json};
use store::{ListQuery, Order};

use super::fault;
use crate::entity::keys;
use crate::gateway::answer::Reply;
use crate::gateway::facts::Mark;
use crate::gateway::fault::Fault;
use crate::gateway::place::Inside;
use crate::gateway::rows;
use crate::gateway::serve::Call;

/// Targets read at a time.
const PAGE: usize = 1000;

/// Limit: targets of an upstream whose health is told.
const TARGETS_MAX: usize = 10_000;

/// A wish in a path: upstream and target by id or other key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Toggle {
    pub(super) upstream: String,
    pub(super) target: String,
    pub(super) address: Option<String>,
    pub(super) is_healthy: bool,
}

/// `GET /upstreams/{u}/health`.
///
/// Compat: `size` is not checked.
pub(super) async fn read(call: &Call<'_>, upstream: &str) -> Result<Value, Fault> {
    let (upstream, targets) = found(call, upstream).await?;
    let facts = &call.api.facts;
    let asked = facts.upstream_health(call.scope, &upstream, &targets).await;
    let health = asked.map_err(fault)?;
    let data = if call.query.text("balancer_health") == Some("1") {
        let mut balancer = health.balancer;
        let id = upstream.get("id").cloned().unwrap_or_default();
        balancer.insert("id".to_owned(), id);
        Value::Object(balancer)
    } else if call.query.text("size") == Some("0") {
        json!([])
    } else {
        let mut rows = targets;
        for row in &mut rows {
            let address = row.get("target").and_then(Value::as_str);
            if let Some(members) = address.and_then(|address| health.targets.get(address)) {
                row.extend(members.clone());
            }
        }
        rows.into_iter().map(Value::Object).collect()
    };
    Ok(json!({"node_id": facts.node_id(), "next": null, "data": data}))
}

/// `PUT /upstreams/{u}/targets/{t}/healthy` and its relatives.
///
/// Compat: an address that the target does not have is no fault.
pub(super) async fn mark(call: &Call<'_>, toggle: &Toggle) -> Result<Reply, Fault> {
    let (upstream, targets) = found(call, &toggle.upstream).await?;
    let is_meant = |row: &&Map| {
        let is = |member: &str| row.get(member).and_then(Value::as_str) == Some(&toggle.target);
        is("id") || is("target")
    };
    let target = targets.iter().find(is_meant);
    let target = target.and_then(|row| row.get("target")?.as_str());
    let (Some(target), Some(id)) = (target, keys::id(&upstream)) else {
        return Err(Fault::not_found());
    };
    if !has_health_checks(&upstream) {
        let name = upstream.get("name").and_then(Value::as_str);
        let text = format!("no healthchecker found for {}", name.unwrap_or_default());
        return Err(Fault::bad_request(&text));
    }
    let mark = Mark {
        upstream: id,
        target: target.to_owned(),
        address: toggle.address.clone(),
        is_healthy: toggle.is_healthy,
    };
    let marked = call.api.facts.mark(call.scope, mark).await;
    marked.map_err(fault)?;
    Ok(Reply::no_content())
}

/// An upstream with its targets, the newest first, one for each address.
async fn found(call: &Call<'_>, key: &str) -> Result<(Map, Vec<Map>), Fault> {
    let entities = &call.api.entities;
    let kind = entities.catalogue().kind("upstreams");
    let kind: &EntityKind = kind.ok_or_else(Fault::not_found)?;
    let inside = Inside {
        kind,
        key: key.to_owned(),
        field: "upstream",
        segment: "health",
    };
    let parent = rows::parent(call, &inside).await?;
    let id = parent.id.to_string();
    let upstream = entities.get(call.scope, kind, &id, None).await;
    let upstream = upstream.map_err(Fault::reading)?;
    let mut targets: Vec<Map> = Vec::new();
    loop {
        let query = ListQuery {
            size: PAGE,
            skip: targets.len(),
            parent: Some((parent.field.to_owned(), parent.id)),
            order: Order::Newest,
            ..ListQuery::default()
        };
        let plane = call.scope.control_plane;
        let page = entities.source().list(plane, "targets", query).await;
        let page = page.map_err(Fault::reading)?;
        targets.extend(page.rows);
        if page.next.is_none() || targets.len() >= TARGETS_MAX {
            break;
        }
    }
    let mut seen = HashSet::new();
    targets.retain(|row| seen.insert(row.get("target").cloned()));
    Ok((upstream, targets))
}

/// Compat: an upstream has a health checker when any check can ever change anything.
fn has_health_checks(upstream: &Map) -> bool {
    let checks = upstream.get("healthchecks").cloned().unwrap_or_default();
    let is_set = |pointer: &str| {
        let number = checks.pointer(pointer).and_then(Value::as_f64);
        number.is_some_and(|number| number > 0.0)
    };
    [
        "/active/healthy/interval",
        "/active/unhealthy/interval",
        "/passive/unhealthy/tcp_failures",
        "/passive/unhealthy/timeouts",
        "/passive/unhealthy/http_failures",
    ]
    .into_iter()
    .any(is_set)
}
