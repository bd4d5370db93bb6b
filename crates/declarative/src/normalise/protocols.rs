//! Plugins and the routes they run for must have a protocol in common.

use std::collections::HashMap;

use entities::{Map, protocols_fault};
use serde_json::Value;

use super::Work;
use crate::document::Step;
use crate::problem::{Place, Problem};

impl Work<'_> {
    /// Reports plugins that could never run.
    pub(super) fn check_protocols(&mut self) {
        let position = |name: &str| self.catalogue.kinds().iter().position(|k| k.name == name);
        let (Some(plugins), Some(routes)) = (position("plugins"), position("routes")) else {
            return;
        };
        let mut by_id: HashMap<&str, &Map> = HashMap::new();
        let mut by_service: HashMap<&str, Vec<&Map>> = HashMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == routes) {
            by_id.insert(&entry.id, &entry.body);
            if let Some(service) = id_in(&entry.body, "service") {
                by_service.entry(service).or_default().push(&entry.body);
            }
        }
        let mut found = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == plugins) {
            let route = id_in(&entry.body, "route")
                .and_then(|id| by_id.get(id))
                .copied();
            let of_service = id_in(&entry.body, "service").and_then(|id| by_service.get(id));
            let of_service = of_service.map_or(&[][..], Vec::as_slice);
            if let Some(message) = protocols_fault(&entry.body, route, of_service) {
                let mut steps = self.steps(entry);
                steps.push(Step::Member("protocols".to_owned()));
                let report = self.report(entry, false);
                found.push(Problem::new(steps, message, Place::Field, report));
            }
        }
        self.problems.append(&mut found);
    }
}

fn id_in<'a>(body: &'a Map, field: &str) -> Option<&'a str> {
    body.get(field)?.get("id").and_then(Value::as_str)
}
