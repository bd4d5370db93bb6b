//! The page about endpoints is made of the tables that serve them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use entities::Catalogue;
use openapi::Operation;

use crate::api;

const PAGE: &str = "../../docs/endpoints.md";

/// What stands before the lists, by hand.
const HEAD: &str = "# Endpoints

Everything that the APIs of an installation serve, made of the tables that serve it: `GATEHOUSE_BLESS=1 cargo test -p
gatehouse-platform endpoints` writes this page. What a node's status API and its probes serve is in
[kong-conf.md](kong-conf.md). What the paths mean is in [admin-api.md](admin-api.md) and
[core-entities.md](core-entities.md).

## Left out

| API of the reference | not served here (404) |
| --- | --- |
| Admin API | paths behind a workspace, `/workspaces/{w}/meta` and `/entities`, `/rbac`, `/admins`, `/developers`, `/groups`, `/auth`, `/userinfo`, `/license/report`, `/event-hooks`, `/audit`, `/keyring`, `/vitals`, `/targets` at the top, `/cloned-plugins`, `/debug/profiling`, `/debug/nodes`, `/consumer_groups/{g}/overrides`, paths of plugins that are not brought along (`/openid-connect`, `/jwt-signer`); `sort_by` and search in lists |
| core entities | `workspaces`, `v1/consumer-groups`, `cloned-plugins`, `konnect_applications`, `oauth2`, `licenses`: none of them is among the 205 operations of its description |
";

fn section(page: &mut String, title: &str, operations: &[Operation]) {
    let mut methods: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in operations {
        methods
            .entry(&operation.path)
            .or_default()
            .push(operation.method);
    }
    let count = operations.len();
    write!(
        page,
        "\n## {title}: {count} operations\n\n| path | methods |\n| --- | --- |\n"
    )
    .expect("text takes text");
    for (path, mut methods) in methods {
        methods.sort_unstable();
        writeln!(page, "| `{path}` | {} |", methods.join(", ")).expect("text takes text");
    }
}

fn page() -> String {
    let catalogue = Catalogue::new(plugins::catalogue());
    let mut page = HEAD.to_owned();
    section(&mut page, "`global.api.D`", &api::global_operations());
    section(&mut page, "`GEO.api.D`", &api::geo_operations(&catalogue));
    let admin = admin_api::gateway::operations(&catalogue, true);
    section(
        &mut page,
        "`admin_listen` of a node, and `GEO.api.D/v2/control-planes/{id}/admin`",
        &admin,
    );
    page.push_str(
        "\nBeside these a node answers what `GET /endpoints` lists about its process and its plugins:\n\n",
    );
    let described: BTreeSet<&str> = admin.iter().map(|one| one.path.as_str()).collect();
    for path in admin_api::gateway::endpoints(&catalogue) {
        if !described.contains(path.as_str()) {
            writeln!(page, "* `{path}`").expect("text takes text");
        }
    }
    section(
        &mut page,
        "`GEO.kic.api.D`",
        &api::kic_operations(&catalogue),
    );
    page
}

#[test]
fn the_page_about_endpoints_lists_what_the_tables_serve() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::vars().any(|(name, value)| name == "GATEHOUSE_BLESS" && value == "1") {
        std::fs::write(&path, &page).expect("the page is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/endpoints.md is out of step: run with GATEHOUSE_BLESS=1"
    );
}
