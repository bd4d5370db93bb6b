//! `gatehouse config history`, `diff` and `rollback`: revisions of a control plane.

use hyper::Method;
use serde_json::Value;

use super::plane;
use super::target::Target;
use crate::cli::{Access, Diff, History, Rollback};
use crate::failure::Failure;
use crate::output;

fn work<F>(future: F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future)
}

/// An answer below `…/revisions`.
async fn ask(access: &Access, method: Method, plane: &str, rest: &str) -> Result<Value, Failure> {
    let target = Target::open(access, plane).await?;
    let rest = format!("/revisions{rest}");
    let answer = target.call(method, &rest, None).await?;
    if answer.is_success() {
        Ok(answer.json())
    } else {
        Err(plane::refused(&answer))
    }
}

pub(super) fn history(arguments: &History) -> Result<(), Failure> {
    let access = &arguments.access;
    work(async {
        let rest = format!("?size={}", arguments.size);
        let list = ask(access, Method::GET, &arguments.control_plane, &rest).await?;
        for row in list["data"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let actor = &row["actor"];
            output::print(&format!(
                "{}  {}  {} {}  {} rows  {}",
                row["number"],
                text(&row["created_at"]),
                text(&actor["type"]),
                text(&actor["id"]),
                row["changed"],
                text(&row["note"])
            ));
        }
        Ok(())
    })
}

pub(super) fn diff(arguments: &Diff) -> Result<(), Failure> {
    let access = &arguments.access;
    work(async {
        let against = arguments.against.map(|number| format!("?against={number}"));
        let rest = format!("/{}/diff{}", arguments.number, against.unwrap_or_default());
        let found = ask(access, Method::GET, &arguments.control_plane, &rest).await?;
        for change in found["changes"].as_array().into_iter().flatten() {
            print_change(change);
        }
        let omitted = found["changes_omitted"].as_u64().unwrap_or_default();
        if omitted > 0 {
            output::print(&format!("… and {omitted} more"));
        }
        Ok(())
    })
}

pub(super) fn rollback(arguments: &Rollback) -> Result<(), Failure> {
    let access = &arguments.access;
    work(async {
        let rest = format!("/{}/rollback", arguments.number);
        let done = ask(access, Method::POST, &arguments.control_plane, &rest).await?;
        output::print(&format!(
            "the configuration is as it was at revision {}; this is revision {} now ({} rows \
             changed)",
            done["restored"], done["revision"], done["changed"]
        ));
        Ok(())
    })
}

/// One change, and below it what differs.
pub(super) fn print_change(change: &Value) {
    let sign = match change["action"].as_str() {
        Some("create") => '+',
        Some("delete") => '-',
        _ => '~',
    };
    let name = change["name"].as_str().or_else(|| change["id"].as_str());
    let kind = change["kind"].as_str().unwrap_or_default();
    output::print(&format!("{sign} {kind} {}", name.unwrap_or_default()));
    for one in change["differences"].as_array().into_iter().flatten() {
        let path = one["path"].as_str().unwrap_or_default();
        output::print(&format!(
            "    {path}: {} -> {}",
            one["before"], one["after"]
        ));
    }
}
