//! Which formats are read, removed and written, as a configuration says.

use schema::{DecodeError, Reader};
use serde_json::Value;

use super::Format;

/// Compat: the order in which formats were looked for before it could be configured.
const FORMER_ORDER: [Format; 7] = [
    Format::B3,
    Format::W3c,
    Format::Jaeger,
    Format::Ot,
    Format::Datadog,
    Format::Aws,
    Format::Gcp,
];

/// Which formats are read, removed and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Propagation {
    /// Read, in this order.
    pub(super) extract: Vec<Format>,
    /// Headers that are removed.
    pub(super) clear: Vec<String>,
    /// Written; `None` is the format that came.
    pub(super) inject: Vec<Option<Format>>,
    /// Written where nothing came.
    pub(super) default: Format,
}

impl Propagation {
    /// Reads the member `propagation`, or what stands for it in older configurations.
    pub(crate) fn read(config: &Reader<'_>) -> Result<Self, DecodeError> {
        let record = config.members("propagation")?.cloned().unwrap_or_default();
        let named = |value: &Value| value.as_str().and_then(Format::named);
        let default = record.get("default_format").and_then(named);
        let default = default.unwrap_or(Format::W3c);
        let list = |name: &str| record.get(name).and_then(Value::as_array);
        let formats = |name: &str| list(name).into_iter().flatten().filter_map(named).collect();
        let is_new = ["extract", "clear", "inject"]
            .iter()
            .any(|name| list(name).is_some());
        if is_new {
            let inject = list("inject").into_iter().flatten();
            let clear = list("clear").into_iter().flatten();
            return Ok(Self {
                extract: formats("extract"),
                clear: clear.filter_map(Value::as_str).map(str::to_owned).collect(),
                inject: inject.map(named).collect(),
                default,
            });
        }
        let former = config.text("default_header_type")?;
        let default = former.as_deref().and_then(Format::named).unwrap_or(default);
        let header_type = config.text("header_type")?;
        let (extract, inject) = match header_type.as_deref() {
            None => (Vec::new(), Vec::new()),
            Some("preserve") => (FORMER_ORDER.to_vec(), vec![None]),
            Some("ignore") => (Vec::new(), vec![Some(default)]),
            Some(name) => (FORMER_ORDER.to_vec(), vec![None, Format::named(name)]),
        };
        Ok(Self {
            extract,
            clear: Vec::new(),
            inject,
            default,
        })
    }
}
