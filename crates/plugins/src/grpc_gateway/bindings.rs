//! Which call of gRPC a request is, and its message.

use plugin_api::query_pairs;
use serde_json::{Map, Value};

use super::template::Template;
use crate::grpc::{self, MESSAGE, MessageDescriptor, Protos, Rule};

/// A way to call a method.
#[derive(Debug)]
pub(super) struct Binding {
    template: Template,
    rule: Rule,
    /// `/package.Service/Method`.
    pub(super) path: String,
    input: MessageDescriptor,
    pub(super) output: MessageDescriptor,
}

impl Binding {
    /// The field of the answer that is its body; empty for all of it.
    pub(super) fn response_body(&self) -> &str {
        &self.rule.response_body
    }
}

/// All ways to call the methods of a file, in the order in which they stand there.
#[derive(Debug)]
pub(super) struct Bindings {
    all: Vec<Binding>,
}

/// A request of which the call is known.
pub(super) struct Found<'b> {
    pub(super) binding: &'b Binding,
    fields: Vec<(&'b str, String)>,
}

impl Bindings {
    /// Those of a file.
    ///
    /// # Errors
    ///
    /// A sentence about a template that is none, or a field that is not there.
    pub(super) fn of(protos: &Protos) -> Result<Self, String> {
        let mut all = Vec::new();
        for method in &protos.methods {
            for rule in &method.rules {
                let template = Template::parse(&rule.path)?;
                let is_field = |name: &str| method.input.get_field_by_name(name).is_some();
                if !matches!(rule.body.as_str(), "" | "*") && !is_field(&rule.body) {
                    return Err(format!(
                        "`{}`: the body `{}` is no field",
                        rule.path, rule.body
                    ));
                }
                all.push(Binding {
                    template,
                    rule: rule.clone(),
                    path: method.path.clone(),
                    input: method.input.clone(),
                    output: method.output.clone(),
                });
            }
        }
        Ok(Self { all })
    }

    /// The first that takes a request.
    ///
    /// # Errors
    ///
    /// A sentence about what is not known.
    pub(super) fn find(&self, verb: &str, path: &str) -> Result<Found<'_>, String> {
        let mut of_verb = self
            .all
            .iter()
            .filter(|one| one.rule.verb == verb)
            .peekable();
        if of_verb.peek().is_none() {
            return Err(format!("Unknown method \"{}\"", verb.to_ascii_lowercase()));
        }
        let mut found = of_verb.filter_map(|binding| {
            let fields = binding.template.find(path)?;
            Some(Found { binding, fields })
        });
        found
            .next()
            .ok_or_else(|| format!("Unknown path \"{path}\""))
    }
}

impl Found<'_> {
    /// The message for the service, in its frame.
    ///
    /// # Errors
    ///
    /// A sentence about what does not fit.
    pub(super) fn message(self, query: &[u8], body: &[u8]) -> Result<Vec<u8>, String> {
        let Self { binding, fields } = self;
        let input = &binding.input;
        let mut members = Map::new();
        // What the path says counts more than the query and the body.
        if binding.rule.body != "*" {
            for (name, value) in query_pairs(query) {
                let value = value.unwrap_or_default();
                let texts = (std::str::from_utf8(&name), std::str::from_utf8(&value));
                if let (Ok(name), Ok(value)) = texts {
                    grpc::place(input, &mut members, name, value.to_owned());
                }
            }
        }
        if !binding.rule.body.is_empty() && !body.is_empty() {
            let value: Value = serde_json::from_slice(body)
                .map_err(|error| format!("the body is no JSON: {error}"))?;
            match (binding.rule.body.as_str(), value) {
                ("*", Value::Object(given)) => members = given,
                ("*", _) => return Err("body must be a table".to_owned()),
                (field, value) => {
                    members.insert(field.to_owned(), value);
                }
            }
        }
        for (name, value) in fields {
            grpc::place(input, &mut members, name, value);
        }
        let message = grpc::encode(input, Value::Object(members))?;
        Ok(grpc::frame(MESSAGE, &message))
    }
}
