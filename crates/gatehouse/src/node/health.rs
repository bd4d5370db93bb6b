//! How an upstream and its targets do, in the words of the Admin API.
//!
//! Compat: words and shapes are those of the reference's `/upstreams/{u}/health`; `unhealthy`, which says why an
//! address gets no traffic and since when, is ours.

use std::time::Duration;

use admin_api::gateway::UpstreamHealth;
use entities::Target;
use gateway::health::{AddressView, GroupView, TargetView, Weights};
use gateway::node::Handle;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Limit: how long an answer waits for what was just written to be in use, and for its names.
const WAIT_LIMIT: Duration = Duration::from_secs(2);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The health of an upstream and of its targets. Members are absent for what is not in use.
pub(super) async fn of(
    node: &Handle,
    upstream: &Map<String, Value>,
    targets: &[Map<String, Value>],
) -> UpstreamHealth {
    let id = upstream.get("id").and_then(Value::as_str);
    let id = id
        .and_then(|id| Uuid::try_parse(id).ok())
        .unwrap_or_default();
    let targets: Vec<(String, Target)> = targets.iter().filter_map(read).collect();
    let Some(view) = view(node, id, &targets).await else {
        return UpstreamHealth::default();
    };
    let mut health = UpstreamHealth {
        balancer: balancer(&view),
        ..UpstreamHealth::default()
    };
    for (text, target) in targets {
        if let Some(found) = find(&view, &target) {
            let members = members(found, view.is_watched);
            health.targets.insert(text, members);
        }
    }
    health
}

fn read(row: &Map<String, Value>) -> Option<(String, Target)> {
    let text = row.get("target")?.as_str()?.to_owned();
    Some((text, Target::try_from(row).ok()?))
}

fn find<'v>(view: &'v GroupView, target: &Target) -> Option<&'v TargetView> {
    let mut targets = view.targets.iter();
    targets.find(|own| own.host == target.host && own.port == target.port)
}

/// What is in use, once it is what the rows say.
async fn view(node: &Handle, id: Uuid, targets: &[(String, Target)]) -> Option<GroupView> {
    let is_complete = |view: &GroupView| {
        !view.is_settling
            && targets
                .iter()
                .all(|(_, target)| find(view, target).is_some())
    };
    let until = tokio::time::Instant::now() + WAIT_LIMIT;
    loop {
        match node.health(id) {
            Some(view) if is_complete(&view) => return Some(view),
            view if tokio::time::Instant::now() >= until => return view,
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Waits until a target that was just written takes part in balancing.
pub(super) async fn until_in_use(node: &Handle, upstream: Uuid, target: &str) {
    let row = json!({"id": Uuid::nil(), "upstream": {"id": upstream}, "target": target});
    let target = row.as_object().and_then(read);
    view(node, upstream, target.as_slice()).await;
}

/// The members `health` and `data` of a target.
fn members(target: &TargetView, is_watched: bool) -> Map<String, Value> {
    let of_address = |is_healthy: bool| match (is_watched, is_healthy) {
        (false, _) => "HEALTHCHECKS_OFF",
        (true, true) => "HEALTHY",
        (true, false) => "UNHEALTHY",
    };
    let data = data(target, |is_healthy| {
        ("health", of_address(is_healthy).into())
    });
    let mut members = Map::new();
    members.insert("health".to_owned(), health(target, is_watched).into());
    members.insert("data".to_owned(), data);
    members
}

fn health(target: &TargetView, is_watched: bool) -> &'static str {
    if target.addresses.is_empty() {
        "DNS_ERROR"
    } else if !is_watched || target.weight == 0 {
        "HEALTHCHECKS_OFF"
    } else if target.addresses.iter().any(|own| own.cause.is_none()) {
        "HEALTHY"
    } else {
        "UNHEALTHY"
    }
}

fn data(target: &TargetView, shown: impl Fn(bool) -> (&'static str, Value)) -> Value {
    let addresses = target.addresses.iter().map(|own| address(own, &shown));
    let addresses: Vec<Value> = addresses.collect();
    json!({
        "host": target.host,
        "port": target.port,
        "dns": target.dns,
        "nodeWeight": target.weight,
        "weight": weights(target.weights()),
        "addresses": addresses,
    })
}

fn address(own: &AddressView, shown: &impl Fn(bool) -> (&'static str, Value)) -> Value {
    let mut row = json!({
        "ip": own.socket.ip(),
        "port": own.socket.port(),
        "weight": own.weight,
    });
    let (name, value) = shown(own.cause.is_none());
    row[name] = value;
    if let Some(cause) = &own.cause {
        row["unhealthy"] = json!({"reason": cause, "since": own.since_ms / 1000});
    }
    row
}

fn weights(weights: Weights) -> Value {
    json!({
        "total": weights.total,
        "available": weights.available,
        "unavailable": weights.total - weights.available,
    })
}

fn balancer(view: &GroupView) -> Map<String, Value> {
    let word = if view.is_healthy {
        "HEALTHY"
    } else {
        "UNHEALTHY"
    };
    let targets = view.targets.iter();
    let hosts: Vec<Value> = targets
        .map(|target| data(target, |is_healthy| ("healthy", is_healthy.into())))
        .collect();
    let mut members = Map::new();
    let health = if view.is_watched {
        word
    } else {
        "HEALTHCHECKS_OFF"
    };
    members.insert("health".to_owned(), health.into());
    members.insert("balancer_health".to_owned(), word.into());
    let details = json!({
        "healthy": view.is_healthy,
        "weight": weights(view.weights),
        "hosts": hosts,
    });
    members.insert("details".to_owned(), details);
    members
}
