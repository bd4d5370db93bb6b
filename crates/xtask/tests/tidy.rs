//! The rules of the house. Each test prints every violation at once.

use gatehouse_xtask as tidy;

fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn rooms_use_only_lower_layers() {
    none(&tidy::layer_violations().unwrap());
}

#[test]
fn every_crate_inherits_the_lints() {
    none(&tidy::rooms_without_lints().unwrap());
}

#[test]
fn every_crate_says_its_purpose() {
    none(&tidy::undocumented_crates());
}

#[test]
fn files_stay_within_the_limits() {
    none(&tidy::oversized_files());
}

#[test]
fn reminders_carry_a_number() {
    none(&tidy::bare_todos());
}

#[test]
fn plugin_folders_are_complete() {
    none(&tidy::unfinished_plugins());
}

#[test]
fn links_in_documents_lead_somewhere() {
    none(&tidy::broken_links());
}

#[test]
fn paths_named_in_the_map_and_guides_exist() {
    none(&tidy::missing_paths());
}
