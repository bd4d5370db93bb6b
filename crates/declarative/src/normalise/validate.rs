//! The schema of every entity.

use std::sync::Arc;

use entities::{Mode, Origin, Packed, Violations};
use schema::Violation;
use serde_json::Value;
use uuid::Uuid;

use super::Work;
use super::collect::Entry;
use super::resolve::{Seen, clash};
use crate::document::{Step, path_text};
use crate::problem::{Place, Problem, ProblemEntity};

impl Work<'_> {
    /// Completes and validates all entities, and reports what exists twice.
    pub(super) fn validate(&mut self) {
        let catalogue = self.catalogue;
        let has_hashes = self.has_hashes();
        let (mut wrong, mut twice, mut seen) = (Vec::new(), Vec::new(), Seen::default());
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let kind = &catalogue.kinds()[entry.kind];
            entry.fill(kind);
            twice.extend(clash(entry, kind, &mut seen).map(|clash| (index, clash)));
            // Compat: the time of the last change is not validated, and kept when it is one.
            let updated_at = entry
                .body
                .shift_remove("updated_at")
                .filter(Value::is_number);
            for (field, _) in kind.foreign_fields() {
                if entry.faults.get(field.name).is_some() {
                    let id = Uuid::nil().to_string();
                    entry
                        .body
                        .insert(field.name.to_owned(), serde_json::json!({"id": id}));
                }
            }
            let outcome = catalogue.validate_from(
                kind.name,
                &mut entry.body,
                Mode::Insert,
                Origin::Declarative,
            );
            if self.transform && !(kind.name == "basicauth_credentials" && has_hashes) {
                catalogue.transform(kind.name, &mut entry.body);
            }
            let mut violations = outcome.err().unwrap_or_default();
            violations.merge(std::mem::take(&mut entry.faults));
            if let (Some(time), Some(slot)) = (updated_at, entry.body.get_mut("updated_at")) {
                *slot = time;
            }
            if violations.is_empty() && self.is_packing {
                entry.pack(kind.name);
            }
            if !violations.is_empty() {
                wrong.push((index, violations));
            }
        }
        self.tell_clashes(twice);
        for (index, violations) in wrong {
            self.tell(index, &violations);
        }
    }

    fn tell(&mut self, index: usize, violations: &Violations) {
        let entry = &self.entries[index];
        let kind = &self.catalogue.kinds()[entry.kind];
        let (report, mut steps) = (self.report(entry, false), self.steps(entry));
        let targets: Vec<_> = kind.foreign_fields().map(|(f, t)| (f.name, t)).collect();
        let problems = &mut self.problems;
        spread(violations, &mut steps, &mut |steps, message, place| {
            let of_target = report
                .as_ref()
                .and_then(|report| inside_reference(&steps, report, &targets));
            let entity = of_target.or_else(|| report.clone());
            problems.push(Problem::new(steps, message, place, entity));
        });
    }
}

impl Entry {
    /// Packs the body; only what the checks that follow look at stays open.
    fn pack(&mut self, kind: &str) {
        match kind {
            // They are looked at as a whole.
            "plugins" | "partials" => {}
            "routes" => {
                self.packed = Some(Packed::of(&self.body));
                let wanted = |name: &str| matches!(name, "protocols" | "service");
                let body = std::mem::take(&mut self.body).into_iter();
                self.body = body.filter(|(name, _)| wanted(name)).collect();
            }
            _ => self.packed = Some(Packed::of(&std::mem::take(&mut self.body))),
        }
    }
}

/// Compat: what is wrong inside a reference is reported about the object given there, as if it
/// were an entity of the kind referred to.
fn inside_reference(
    steps: &[Step],
    report: &ProblemEntity,
    targets: &[(&str, &'static str)],
) -> Option<Arc<ProblemEntity>> {
    let Some([Step::Member(field), _, ..]) = steps.get(report.depth..) else {
        return None;
    };
    let (_, target) = targets.iter().find(|(name, _)| name == field)?;
    let depth = report.depth + 1;
    Some(Arc::new(ProblemEntity {
        kind: (*target).to_owned(),
        path: path_text(&steps[..depth]),
        depth,
        body: report.body.get(field)?.clone(),
    }))
}

/// Every message of a tree with its place in the document.
pub(super) fn spread(
    violations: &Violations,
    steps: &mut Vec<Step>,
    report: &mut dyn FnMut(Vec<Step>, &str, Place),
) {
    for message in violations.entity() {
        report(steps.clone(), message, Place::Entity);
    }
    for (name, violation) in violations.members() {
        steps.push(Step::Member(name.to_owned()));
        spread_value(violation, steps, report);
        steps.pop();
    }
}

fn spread_value(
    violation: &Violation,
    steps: &mut Vec<Step>,
    report: &mut dyn FnMut(Vec<Step>, &str, Place),
) {
    match violation {
        Violation::Text(message) => report(steps.clone(), message, Place::Field),
        Violation::Record(inner) => spread(inner, steps, report),
        Violation::Elements(elements) => {
            for (position, violation) in elements {
                steps.push(Step::Element(*position));
                spread_value(violation, steps, report);
                steps.pop();
            }
        }
    }
}
