//! The page about all properties is in step with the table.

use std::path::Path;

use gatehouse_conf::reference_markdown;

#[test]
fn the_committed_page_is_what_the_table_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kong-conf.md");
    let generated = reference_markdown();
    if std::env::vars().any(|(name, value)| name == "GATEHOUSE_BLESS" && value == "1") {
        std::fs::write(&page, &generated).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/kong-conf.md is out of step: run `GATEHOUSE_BLESS=1 cargo test -p gatehouse-conf`"
    );
}
