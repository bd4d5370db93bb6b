//! Query parameters.

use crate::batch::Form;

/// Revisions of a page when nothing is said, and at most.
const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1_000;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) size: usize,
    /// Only revisions before this one.
    pub(super) before: Option<u64>,
    /// The revision to compare with.
    pub(super) against: Option<u64>,
    /// The version that a rollback expects.
    pub(super) base_version: Option<u64>,
    pub(super) form: Option<Form>,
}

impl Query {
    pub(super) fn read(query: Option<&str>) -> Result<Self, String> {
        let mut read = Self {
            size: DEFAULT_SIZE,
            before: None,
            against: None,
            base_version: None,
            form: None,
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let number = || {
                let wrong = |_| format!("`{name}` is a whole number, not `{value}`");
                let number = value.parse::<u64>().map_err(wrong)?;
                // No revision has a number that databases do not have.
                Ok::<_, String>(number.min(i64::MAX.unsigned_abs()))
            };
            match (name.as_ref(), value.as_ref()) {
                ("size", _) => {
                    let size = usize::try_from(number()?).unwrap_or(usize::MAX);
                    if !(1..=MAX_SIZE).contains(&size) {
                        return Err(format!("`size` is between 1 and {MAX_SIZE}"));
                    }
                    read.size = size;
                }
                ("before", _) => read.before = Some(number()?),
                ("against", _) => read.against = Some(number()?),
                ("base_version", _) => read.base_version = Some(number()?),
                ("format", "yaml") => read.form = Some(Form::Yaml),
                ("format", "json") => read.form = Some(Form::Json),
                ("format", other) => {
                    return Err(format!("`format` is `yaml` or `json`, not `{other}`"));
                }
                (other, _) => return Err(format!("there is no parameter `{other}`")),
            }
        }
        Ok(read)
    }
}
