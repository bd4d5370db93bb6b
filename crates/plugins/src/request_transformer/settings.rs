//! What is done to one part of a request, prepared: values are templates.

use bytes::Bytes;

use crate::records::changes::Changes;
use crate::template::{Scope, Template, TemplateError};

/// A name and the value it gets; no value for an empty one.
pub(super) type Setting = (Bytes, Option<Text>);

/// A value that may be computed for each request.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// Understood.
    Template(Template),
    /// Not understood: requests that need it fail.
    Broken,
}

/// The prepared form of [`Changes`].
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) remove: Vec<Bytes>,
    pub(super) rename: Vec<(Bytes, Bytes)>,
    pub(super) replace: Vec<Setting>,
    pub(super) add: Vec<Setting>,
    pub(super) append: Vec<Setting>,
}

/// A plan with its values computed for one request.
#[derive(Debug)]
pub(super) struct Resolved<'p> {
    pub(super) plan: &'p Plan,
    pub(super) replace: Vec<(&'p Bytes, Bytes)>,
    pub(super) add: Vec<(&'p Bytes, Bytes)>,
    pub(super) append: Vec<(&'p Bytes, Bytes)>,
}

impl Text {
    /// Prepares a value; what is not understood is noted.
    pub(super) fn prepare(text: &str, notices: &mut Vec<String>) -> Self {
        match Template::parse(text) {
            Ok(template) => Self::Template(template),
            Err(error) => {
                notices.push(format!("{error}; requests that need it are answered 500"));
                Self::Broken
            }
        }
    }

    /// The value for a request.
    pub(super) fn render(&self, scope: &dyn Scope) -> Result<Bytes, TemplateError> {
        match self {
            Self::Template(template) => template.render(scope),
            Self::Broken => Err(TemplateError::Runtime("it was not understood")),
        }
    }
}

impl Plan {
    /// Prepares changes.
    pub(super) fn prepare(changes: &Changes<String>, notices: &mut Vec<String>) -> Self {
        let bytes = |text: &String| Bytes::copy_from_slice(text.as_bytes());
        let mut settings = |pairs: &[(String, String)]| {
            let one = |(name, value): &(String, String)| {
                let text = (!value.is_empty()).then(|| Text::prepare(value, notices));
                (bytes(name), text)
            };
            pairs.iter().map(one).collect::<Vec<Setting>>()
        };
        Self {
            replace: settings(&changes.replace),
            add: settings(&changes.add),
            append: settings(&changes.append),
            remove: changes.remove.iter().map(bytes).collect(),
            rename: changes
                .rename
                .iter()
                .map(|(old, new)| (bytes(old), bytes(new)))
                .collect(),
        }
    }

    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.remove.is_empty()
            && self.rename.is_empty()
            && self.replace.is_empty()
            && self.add.is_empty()
            && self.append.is_empty()
    }

    /// Computes the values for a request. Settings without a value do nothing.
    pub(super) fn resolve(&self, scope: &dyn Scope) -> Result<Resolved<'_>, TemplateError> {
        let list = |settings: &'_ [Setting]| -> Result<Vec<Bytes>, TemplateError> {
            settings
                .iter()
                .filter_map(|(_, text)| text.as_ref())
                .map(|text| text.render(scope))
                .collect()
        };
        Ok(Resolved {
            plan: self,
            replace: joined(&self.replace, list(&self.replace)?),
            add: joined(&self.add, list(&self.add)?),
            append: joined(&self.append, list(&self.append)?),
        })
    }
}

fn joined(settings: &[Setting], values: Vec<Bytes>) -> Vec<(&Bytes, Bytes)> {
    let names = settings.iter().filter(|(_, text)| text.is_some());
    names.map(|(name, _)| name).zip(values).collect()
}
