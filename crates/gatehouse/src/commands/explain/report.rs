//! What was found out, for people.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

/// The text of an explanation, which is the same of a file and of a node.
pub(super) fn text(told: &Value) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(told, &mut out);
    out.truncate(out.trim_end().len());
    out
}

fn write(told: &Value, out: &mut String) -> std::fmt::Result {
    match &told["route"] {
        Value::Null => writeln!(out, "no route takes the request: it is answered with 404")?,
        route => {
            writeln!(out, "route {} takes the request", name(route))?;
            for (place, plugin) in (1_usize..).zip(list(&route["plugins"])) {
                let (name, scope) = (text_of(plugin, "name"), text_of(plugin, "scope"));
                writeln!(out, "  plugin {place}: {name} of the {scope}")?;
            }
        }
    }
    let considered = list(&told["considered"]);
    let (count, total) = (considered.len(), &told["routes_in_all"]);
    writeln!(out, "routes considered ({count} of {total}):")?;
    for own in considered {
        let (verdict, order) = (text_of(own, "verdict"), text_of(own, "order"));
        writeln!(out, "  {}: {verdict} ({order})", name(own))?;
        for unmet in list(&own["unmet"]) {
            let (field, reason) = (text_of(unmet, "field"), text_of(unmet, "reason"));
            writeln!(out, "    {field}: {reason}")?;
        }
    }
    let took = |step: &str| told["nanoseconds"][step].as_u64().map(Duration::from_nanos);
    write!(
        out,
        "configuration {}, flavor {};",
        text_of(told, "configuration_hash"),
        text_of(told, "router_flavor"),
    )?;
    if let Some(took) = took("compile") {
        write!(out, " compiled in {took:?},")?;
    }
    let (path, route) = (took("normalise"), took("route"));
    let (path, route) = (path.unwrap_or_default(), route.unwrap_or_default());
    writeln!(out, " path in {path:?}, route in {route:?}")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text_of<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// The name of a route, or its id.
fn name(route: &Value) -> String {
    let shown = route["name"].as_str().or_else(|| route["id"].as_str());
    format!("`{}`", shown.unwrap_or_default())
}
