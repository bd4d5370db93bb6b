//! What every plugin's description promises, tried with bodies made up from it.

use entities::{Catalogue, Map, Mode, PluginCatalogue};
use schema::sample::Sample;
use serde_json::Value;

/// Bodies made up for each plugin.
const BODIES: u64 = 40;

/// Plugins of whose made-up bodies only a few in a hundred are accepted.
const HARD: [&str; 2] = ["ai-request-transformer", "ai-response-transformer"];

/// An accepted body of a plugin, as it is stored.
fn stored(catalogue: &Catalogue, plugin: &str, seed: u64) -> Option<Map> {
    let schema = catalogue.plugin_schema(plugin)?;
    let mut body = Sample::new(seed).body(schema);
    body.insert("name".to_owned(), Value::from(plugin));
    if let (true, Some(Value::Object(config))) = (plugin == "acme", body.get_mut("config")) {
        // Compat: the old name of one number takes whole ones only, its new one any.
        config.shift_remove("storage_config");
    }
    let outcome = catalogue.validate("plugins", &mut body, Mode::Insert);
    outcome.is_ok().then_some(body)
}

fn without_moment(mut body: Map) -> Map {
    body.shift_remove("updated_at");
    body
}

#[test]
fn what_was_read_written_back_changes_nothing() {
    let catalogue = Catalogue::new(gatehouse_plugins::catalogue());
    for plugin in catalogue.plugins().names() {
        let mut accepted = 0;
        for seed in 0..BODIES {
            let Some(stored) = stored(&catalogue, plugin, seed) else {
                continue;
            };
            accepted += 1;
            let mut shown = stored.clone();
            catalogue.expose("plugins", &mut shown);
            let expected = without_moment(stored.clone());
            let patch = Mode::Update { stored: &stored };
            for mode in [Mode::Insert, Mode::Upsert, patch] {
                let mut again = shown.clone();
                let outcome = catalogue.validate("plugins", &mut again, mode);
                assert_eq!(outcome, Ok(()), "{plugin}: {shown:?}");
                assert_eq!(without_moment(again), expected, "{plugin}");
            }
        }
        assert!(accepted > 0 || HARD.contains(&plugin), "{plugin}");
    }
}

#[test]
fn every_member_of_a_configuration_says_what_it_means() {
    let catalogue = gatehouse_plugins::catalogue();
    for name in catalogue.names() {
        let schema = catalogue.schema(name).expect("a plugin");
        for line in schema.outline() {
            let is_old_name = line.rules.first().is_some_and(|rule| rule == "old name");
            assert!(
                is_old_name || !line.description.is_empty(),
                "{name}: {}",
                line.path
            );
        }
    }
}
