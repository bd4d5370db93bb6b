//! Bodies of errors in words of the operator's own: `error_template_*` of the settings.
//!
//! Compat: in a template the first `%s` stands for the message and the second for the request id;
//! there is nothing else to replace. A `%%` is a percent sign.

use std::path::Path;

use conf::Settings;

use super::errors::{Form, escape};

/// Longest template, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The templates of a node; a form without one has the usual body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    html: Option<Template>,
    json: Option<Template>,
    xml: Option<Template>,
    plain: Option<Template>,
}

/// A text and what stands in it.
#[derive(Clone, Debug)]
struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Message,
    RequestId,
}

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{property}` names `{path}`, which cannot be used: {reason}")]
pub struct TemplateError {
    property: &'static str,
    path: String,
    reason: String,
}

impl Templates {
    /// Reads the files that the settings name.
    pub(crate) fn load(settings: &Settings) -> Result<Self, TemplateError> {
        let load = |property, path: &Option<std::path::PathBuf>| {
            let path = path.as_deref();
            path.map(|path| Template::load(property, path)).transpose()
        };
        Ok(Self {
            html: load("error_template_html", &settings.error_template_html)?,
            json: load("error_template_json", &settings.error_template_json)?,
            xml: load("error_template_xml", &settings.error_template_xml)?,
            plain: load("error_template_plain", &settings.error_template_plain)?,
        })
    }

    /// Renders a message in a form.
    pub(crate) fn render(&self, form: Form, message: &str, request_id: &str) -> String {
        let template = match form {
            Form::Html => &self.html,
            Form::Json => &self.json,
            Form::Xml => &self.xml,
            Form::Plain => &self.plain,
            Form::Grpc => &None,
        };
        let Some(template) = template else {
            return form.render(message, request_id);
        };
        let message = match form {
            Form::Html | Form::Xml => escape(message),
            // What stands between the quotation marks of the template.
            Form::Json => {
                let quoted = serde_json::Value::from(message).to_string();
                let inner = quoted
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'));
                inner.unwrap_or(message).to_owned()
            }
            Form::Plain | Form::Grpc => message.to_owned(),
        };
        template.render(&message, request_id)
    }
}

impl Template {
    fn load(property: &'static str, path: &Path) -> Result<Self, TemplateError> {
        let fault = |reason: String| TemplateError {
            property,
            path: path.display().to_string(),
            reason,
        };
        let length = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        if length.len() > MAX_BYTES {
            return Err(fault(format!("it has more than {MAX_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        Self::parse(&text).map_err(fault)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut own = String::new();
        let mut placeholders = 0;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            if char != '%' {
                own.push(char);
                continue;
            }
            match rest.next() {
                Some('%') => own.push('%'),
                Some('s') => {
                    placeholders += 1;
                    parts.push(Part::Text(std::mem::take(&mut own)));
                    parts.push(match placeholders {
                        1 => Part::Message,
                        2 => Part::RequestId,
                        _ => return Err("it has more than two `%s`".to_owned()),
                    });
                }
                _ => return Err("it has a `%` that is neither `%s` nor `%%`".to_owned()),
            }
        }
        parts.push(Part::Text(own));
        Ok(Self(parts))
    }

    fn render(&self, message: &str, request_id: &str) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Message => message,
            Part::RequestId => request_id,
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use test_support::TempDir;

    use super::*;

    fn with_json(text: &str) -> Result<Templates, TemplateError> {
        let folder = TempDir::new("templates");
        let path = folder.path().join("error.json");
        std::fs::write(&path, text).expect("a file");
        let mut settings = Settings::builtin();
        settings.error_template_json = Some(path);
        Templates::load(&settings)
    }

    #[test]
    fn a_template_takes_the_place_of_its_form_alone() {
        let templates = with_json("{\"error\": \"%s\", \"id\": \"%s\", \"share\": \"100 %%\"}");
        let templates = templates.expect("a good template");
        assert_eq!(
            templates.render(Form::Json, "a \"b\"", "77"),
            "{\"error\": \"a \\\"b\\\"\", \"id\": \"77\", \"share\": \"100 %\"}"
        );
        assert_eq!(
            templates.render(Form::Plain, "m", "77"),
            "m\nrequest_id: 77\n"
        );
    }

    #[test]
    fn templates_that_cannot_be_used_are_named() {
        for (text, reason) in [
            ("%s %s %s", "more than two"),
            ("100 %", "neither"),
            ("%d", "neither"),
        ] {
            let error = with_json(text).expect_err("a bad template").to_string();
            assert!(
                error.contains("`error_template_json`") && error.contains(reason),
                "{error}"
            );
        }
        let mut settings = Settings::builtin();
        settings.error_template_xml = Some("/nowhere/at/all".into());
        let error = Templates::load(&settings).expect_err("no file").to_string();
        assert!(
            error.contains("`error_template_xml` names `/nowhere/at/all`"),
            "{error}"
        );
    }
}
