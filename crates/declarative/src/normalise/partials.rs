//! Plugins with the parts that they share put in their places.

use std::collections::HashMap;

use entities::Map;
use serde_json::Value;

use super::Work;
use super::validate::spread;
use crate::problem::Problem;

impl Work<'_> {
    /// Reports plugins that would be wrong with their partials in their places, as nodes get
    /// them. What is wrong by itself is reported already.
    pub(super) fn check_partials(&mut self) {
        let kinds = self.catalogue.kinds();
        let is_of = |kind: usize, name: &str| kinds[kind].name == name;
        let right = |entry: &&super::collect::Entry| {
            let mut problems = self.problems.iter();
            let steps = self.steps(entry);
            !problems.any(|problem| problem.steps.starts_with(&steps))
        };
        let partials = self.entries.iter().filter(|e| is_of(e.kind, "partials"));
        let inside: HashMap<&str, Option<&Map>> = partials
            .map(|entry| (entry.id.as_str(), right(&entry).then_some(&entry.body)))
            .collect();
        let find = |id: &str| match inside.get(id) {
            Some(partial) => *partial,
            None => self.around.partial(id),
        };
        let mut found = Vec::new();
        let plugins = self.entries.iter().filter(|e| is_of(e.kind, "plugins"));
        for entry in plugins
            .filter(|entry| are_found(&entry.body, &find))
            .filter(right)
        {
            let outcome = self.catalogue.check_with_partials(&entry.body, find);
            if let Err(violations) = outcome {
                let report = self.report(entry, false);
                let mut steps = self.steps(entry);
                spread(&violations, &mut steps, &mut |steps, message, place| {
                    found.push(Problem::new(steps, message, place, report.clone()));
                });
            }
        }
        self.problems.append(&mut found);
    }
}

/// Whether a plugin names partials, all of which are there.
fn are_found<'p>(plugin: &Map, find: &impl Fn(&str) -> Option<&'p Map>) -> bool {
    let named = plugin.get("partials").and_then(Value::as_array);
    named.is_some_and(|named| {
        let id = |item: &Value| {
            item.get("id")
                .and_then(Value::as_str)
                .and_then(find)
                .is_some()
        };
        !named.is_empty() && named.iter().all(id)
    })
}
