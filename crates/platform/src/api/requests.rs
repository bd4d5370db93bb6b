//! `GET /v1/control-planes/{id}/requests`: how many requests nodes served, by service, route and
//! status. An endpoint of our own.

use std::collections::BTreeMap;

use analytics::{
    Analytics, AnalyticsError, Filter, Group, GroupBy, Latency, NONE, OVERFLOW, Query, Range,
    Totals,
};
use axum::extract::{Extension, Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use control_plane::api::Problem;
use control_plane::{InvalidParameter, Planes};
use http::StatusCode;
use identity::{Action, Principal, ResourceKind};
use openapi::Operation;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The path, with the control plane's id as `{id}`.
const PATH: &str = "/v1/control-planes/{id}/requests";

const QUERY: [openapi::Query; 7] = [
    openapi::Query::text("from", "The first moment: RFC 3339 or Unix seconds"),
    openapi::Query::text("to", "The moment after the last"),
    openapi::Query::text("group_by", "Of `service`, `route`, `status`"),
    openapi::Query::number(
        "step",
        (1, u64::MAX),
        "Minutes of a row; one row when not given",
    ),
    openapi::Query::text("service", "Only these services: ids"),
    openapi::Query::text("route", "Only these routes: ids"),
    openapi::Query::text("status", "Only these statuses"),
];

/// The endpoint.
pub(super) fn operation() -> Operation {
    let mut operation = Operation::new("GET", PATH, "Count requests by service, route and status");
    operation.tag = "analytics";
    operation.query = QUERY.to_vec();
    operation.answer = Some(json!({
        "type": "object",
        "required": ["data", "meta"],
        "properties": {
            "data": {
                "type": "array",
                "items": {"type": "object", "required": ["count", "total_us"]},
            },
            "meta": {"type": "object", "required": ["from", "to", "total", "losses"]},
        },
    }));
    operation
}

/// The span when the question names none: an hour.
const DEFAULT_SPAN_MS: u64 = 60 * 60 * 1000;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) planes: Planes,
    pub(super) analytics: Analytics,
}

pub(super) fn router(source: Source) -> Router {
    Router::new().route(PATH, get(count)).with_state(source)
}

/// The members of a row besides the figures.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    service: bool,
    route: bool,
    status: bool,
}

/// What a row stands for: the moment, then the values of the columns asked for.
type RowKey = (u64, Option<Uuid>, Option<Uuid>, Option<u16>);

async fn count(
    State(source): State<Source>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(text): RawQuery,
) -> Result<Json<Value>, Problem> {
    let kind = ResourceKind::Analytics;
    let plane =
        control_plane::api::plane(&source.planes, &principal, &id, Action::Read, kind).await?;
    let (query, columns) = read(text.as_deref()).map_err(Problem::invalid)?;
    let (range, has_steps) = (query.range, query.step_minutes.is_some());
    let found = source
        .analytics
        .query(plane.id, query)
        .await
        .map_err(refuse)?;
    let losses = source
        .analytics
        .losses(plane.id, range)
        .await
        .map_err(refuse)?;
    let mut rows: BTreeMap<RowKey, Totals> = BTreeMap::new();
    for row in &found.rows {
        let Group::Combination {
            service,
            route,
            status,
        } = row.group
        else {
            continue;
        };
        let key = (
            row.start_ms,
            columns.service.then_some(service),
            columns.route.then_some(route),
            columns.status.then_some(status),
        );
        rows.entry(key).or_default().merge(&row.totals);
    }
    let data: Vec<_> = rows
        .iter()
        .map(|(key, totals)| show(*key, has_steps, totals))
        .collect();
    Ok(Json(json!({
        "data": data,
        "meta": {
            "from": clock::rfc3339_millis(range.from_ms),
            "to": clock::rfc3339_millis(range.until_ms),
            "total": figures(&found.totals),
            "is_truncated": found.is_truncated,
            "losses": {
                "at_node": losses.at_node,
                "too_old": losses.too_old,
                "missing_batches": losses.missing_batches,
            },
        },
    })))
}

fn show((start, service, route, status): RowKey, has_steps: bool, totals: &Totals) -> Value {
    let mut row = Map::new();
    if has_steps {
        row.insert("start".to_owned(), json!(clock::rfc3339_millis(start)));
    }
    if let Some(service) = service {
        row.insert("service".to_owned(), id(service));
    }
    if let Some(route) = route {
        row.insert("route".to_owned(), id(route));
    }
    if let Some(status) = status {
        row.insert("status".to_owned(), json!(status));
    }
    row.extend(figures(totals));
    Value::Object(row)
}

/// Requests without a service or route have `null`; those beyond the room's bound `"other"`.
fn id(id: Uuid) -> Value {
    if id == NONE {
        Value::Null
    } else if id == OVERFLOW {
        json!("other")
    } else {
        json!(id)
    }
}

fn figures(totals: &Totals) -> Map<String, Value> {
    let latency = |latency: &Latency| {
        json!({
            "mean": latency.mean_us(),
            "p50": latency.quantile_us(0.5),
            "p95": latency.quantile_us(0.95),
            "p99": latency.quantile_us(0.99),
        })
    };
    [
        ("count", json!(totals.count)),
        ("answered_by_plugin", json!(totals.answered_by_plugin)),
        ("answered_by_gateway", json!(totals.answered_by_gateway)),
        ("request_bytes", json!(totals.request_bytes)),
        ("response_bytes", json!(totals.response_bytes)),
        ("total_us", latency(&totals.total)),
        ("upstream_us", latency(&totals.upstream)),
        ("gateway_us", latency(&totals.gateway)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn read(text: Option<&str>) -> Result<(Query, Columns), Vec<InvalidParameter>> {
    let mut found = Vec::new();
    let now = clock::unix_millis();
    let (mut from, mut to) = (None, None);
    let (mut filter, mut columns, mut step) = (Filter::default(), Columns::default(), None);
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        let fault = |rule, reason: &str| InvalidParameter::query(name.as_ref(), rule, reason);
        let outcome = match name.as_ref() {
            "from" => moment(&value).map(|at| from = Some(at)),
            "to" => moment(&value).map(|at| to = Some(at)),
            "group_by" => group(&value).map(|asked| columns = asked),
            "step" => value.parse().ok().map(|minutes: u64| step = Some(minutes)),
            "service" => list(&value).map(|ids| filter.services = ids),
            "route" => list(&value).map(|ids| filter.routes = ids),
            "status" => list(&value).map(|statuses| filter.statuses = statuses),
            _ => {
                found.push(fault("unknown_property", "is not a known parameter"));
                continue;
            }
        };
        if outcome.is_none() {
            found.push(match name.as_ref() {
                "from" | "to" => fault("is_date_time", "must be RFC 3339 or Unix seconds"),
                "group_by" => fault("invalid", "must be of `service`, `route`, `status`"),
                "step" | "status" => fault("is_integer", "must be whole numbers"),
                _ => fault("is_uuid", "must be UUIDs separated by commas"),
            });
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let until_ms = to.unwrap_or_else(|| now.saturating_add(1));
    let from_ms = from.unwrap_or_else(|| until_ms.saturating_sub(DEFAULT_SPAN_MS));
    let query = Query {
        group_by: GroupBy::Combination,
        step_minutes: step,
        filter,
        ..Query::over(Range { from_ms, until_ms })
    };
    Ok((query, columns))
}

fn moment(text: &str) -> Option<u64> {
    let seconds = text
        .parse::<u64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1000));
    seconds.or_else(|| clock::parse_rfc3339_millis(text))
}

fn group(text: &str) -> Option<Columns> {
    let mut columns = Columns::default();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        match part {
            "service" => columns.service = true,
            "route" => columns.route = true,
            "status" => columns.status = true,
            _ => return None,
        }
    }
    Some(columns)
}

fn list<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',')
        .map(|part| part.trim().parse().ok())
        .collect()
}

fn refuse(error: AnalyticsError) -> Problem {
    match error {
        AnalyticsError::Question { field, rule } => {
            Problem::invalid(vec![InvalidParameter::query(field, "invalid", rule)])
        }
        other => {
            tracing::error!(error = %other, "figures cannot be read");
            let detail = "Figures cannot be read now; try again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}
