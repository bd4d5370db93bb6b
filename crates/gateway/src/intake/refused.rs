//! Why a configuration was not taken into use.

use std::fmt::Write as _;

use declarative::{Problem, error_body};
use serde_json::Value;
use wire::v1::ErrorReport;

/// A refused configuration. The running one is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Compiling failed in a way that is a fault of this program.
    #[error("the configuration could not be compiled: {0}; please report this")]
    Fault(String),
    /// Entities or fields are wrong.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
}

impl Refused {
    /// The report that a control plane gets.
    #[must_use]
    pub fn report(&self, hash: &str) -> ErrorReport {
        match self {
            Self::Fault(reason) => ErrorReport {
                name: ErrorReport::RELOAD_FAILED.to_owned(),
                source: "gatehouse.intake.compile".to_owned(),
                message: reason.clone(),
                config_hash: hash.to_owned(),
                code: None,
                fields: None,
                flattened_errors: Vec::new(),
            },
            Self::Invalid(problems) => invalid(problems, hash, self.to_string()),
        }
    }
}

fn invalid(problems: &[Problem], hash: &str, message: String) -> ErrorReport {
    let mut fields = error_body(problems, false);
    let flattened = error_body(problems, true);
    let mut errors = match flattened.get("flattened_errors") {
        Some(Value::Array(errors)) => errors.clone(),
        _ => Vec::new(),
    };
    // Compat: the entity itself stays here; it may hold secrets.
    for error in &mut errors {
        if let Some(members) = error.as_object_mut() {
            members.remove("entity");
        }
    }
    ErrorReport {
        name: ErrorReport::PARSE_FAILURE.to_owned(),
        source: "kong.db.declarative.parse_table".to_owned(),
        message,
        config_hash: hash.to_owned(),
        code: Some(14),
        fields: fields.get_mut("fields").map(Value::take),
        flattened_errors: errors,
    }
}

/// Limit: violations spelt out in one message; the report carries all of them.
const SPELT_OUT_MAX: usize = 20;

fn summary(problems: &[Problem]) -> String {
    let mut text = format!("{} violations", problems.len());
    if let [_] = problems {
        text = "1 violation".to_owned();
    }
    for (at, problem) in problems.iter().take(SPELT_OUT_MAX).enumerate() {
        let separator = if at == 0 { ":" } else { ";" };
        let name = name_of(problem);
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator} {problem}{name}");
    }
    if problems.len() > SPELT_OUT_MAX {
        let _ = write!(text, "; and {} more", problems.len() - SPELT_OUT_MAX);
    }
    text
}

/// Which entity a violation is about, in words that its author knows.
fn name_of(problem: &Problem) -> String {
    let Some(entity) = &problem.entity else {
        return String::new();
    };
    let text = |member: &str| entity.body.get(member).and_then(Value::as_str);
    match text("name")
        .or_else(|| text("username"))
        .or_else(|| text("id"))
    {
        Some(name) => format!(" (`{name}`)"),
        None => String::new(),
    }
}
