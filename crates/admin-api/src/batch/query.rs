//! Query parameters.

use http::HeaderMap;
use http::header::ACCEPT;

/// Tags of one selection.
const MAX_TAGS: usize = 64;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Yaml,
    Json,
}

impl Form {
    /// What the caller prefers: JSON unless it asks for YAML.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let accept = accept.unwrap_or_default();
        if accept.contains("yaml") {
            Self::Yaml
        } else {
            Self::Json
        }
    }
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) dry_run: bool,
    pub(crate) plan: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) form: Option<Form>,
}

impl Query {
    /// Reads a query; what is not known or not readable is an error, because a misspelt
    /// `dry_run` would write.
    pub(crate) fn read(query: Option<&str>) -> Result<Self, String> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("dry_run", "true" | "1" | "") => read.dry_run = true,
                ("dry_run", "false" | "0") => read.dry_run = false,
                ("dry_run", other) => {
                    return Err(format!("`dry_run` is `true` or `false`, not `{other}`"));
                }
                ("plan", plan) => read.plan = Some(plan.to_owned()),
                ("select_tags", tags) => {
                    let tags = tags.split(',').map(str::trim);
                    read.tags
                        .extend(tags.filter(|tag| !tag.is_empty()).map(str::to_owned));
                }
                ("format", "yaml") => read.form = Some(Form::Yaml),
                ("format", "json") => read.form = Some(Form::Json),
                ("format", other) => {
                    return Err(format!("`format` is `yaml` or `json`, not `{other}`"));
                }
                (other, _) => return Err(format!("there is no parameter `{other}`")),
            }
        }
        if read.tags.len() > MAX_TAGS {
            return Err(format!("`select_tags` has more than {MAX_TAGS} tags"));
        }
        if read.dry_run && read.plan.is_some() {
            return Err("`dry_run` and `plan` exclude each other".to_owned());
        }
        Ok(read)
    }
}
