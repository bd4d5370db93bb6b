//! Finding the texts of a plugin: its handler, its description, and every module that they ask for.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use super::Texts;

/// Bytes of one module.
const TEXT_MAX: u64 = 1024 * 1024;

/// Modules of one plugin.
const MODULES_MAX: usize = 500;

/// Modules that the node gives; a test holds them to `lua/modules.lua`.
pub(crate) const GIVEN: [&str; 34] = [
    "bit",
    "cjson",
    "cjson.safe",
    "inspect",
    "kong.constants",
    "kong.db.schema.typedefs",
    "kong.meta",
    "kong.tools.cjson",
    "kong.tools.rand",
    "kong.tools.sha256",
    "kong.tools.string",
    "kong.tools.table",
    "kong.tools.time",
    "kong.tools.utils",
    "kong.tools.uuid",
    "math",
    "ngx.base64",
    "ngx.re",
    "resty.hmac",
    "resty.http",
    "resty.jit-uuid",
    "resty.lrucache",
    "resty.md5",
    "resty.openssl.hmac",
    "resty.random",
    "resty.sha1",
    "resty.sha256",
    "resty.string",
    "string",
    "table",
    "table.clear",
    "table.isempty",
    "table.new",
    "table.nkeys",
];

static ASKED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\brequire\s*\(?\s*["']([A-Za-z0-9_.\-/]+)["']"#).ok());

/// Looks for modules.
pub(super) struct Finder<'a> {
    templates: &'a [String],
    found: HashMap<String, String>,
    pub(super) notices: Vec<String>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(templates: &'a [String]) -> Self {
        Self {
            templates,
            found: HashMap::new(),
            notices: Vec::new(),
        }
    }

    /// The texts of a plugin, with those of all modules that they name. A module that is nowhere
    /// is told: code that asks for it while it is loaded fails then, other code when it runs.
    pub(super) fn plugin(&mut self, name: &'static str) -> Result<Texts, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err("such a name no plugin has".to_owned());
        }
        let mut texts = Texts {
            name,
            modules: HashMap::new(),
        };
        let (handler, schema) = (texts.handler(), texts.schema());
        for module in [&handler, &schema] {
            if self.read(module)?.is_none() {
                let places: Vec<_> = self.places(module).collect();
                let places = places.iter().map(|place| place.display().to_string());
                let places = places.collect::<Vec<_>>().join(", ");
                return Err(format!(
                    "`{module}` is not found; looked for {places}; set `lua_package_path`, or take \
                     the name out of `plugins`"
                ));
            }
        }
        let mut waiting = vec![handler, schema];
        while let Some(module) = waiting.pop() {
            for asked in asked(self.found.get(&module).map_or("", String::as_str)) {
                if GIVEN.contains(&asked.as_str()) || self.found.contains_key(&asked) {
                    continue;
                }
                match self.read(&asked)? {
                    Some(()) => waiting.push(asked),
                    None => self.notices.push(format!(
                        "`{module}` asks for the module `{asked}`, which is neither in \
                         `lua_package_path` nor given by this node; docs/guides/lua-plugins.md lists what is"
                    )),
                }
            }
        }
        texts.modules = std::mem::take(&mut self.found);
        Ok(texts)
    }

    fn places(&self, module: &str) -> impl Iterator<Item = PathBuf> + '_ {
        let path = module.replace('.', "/");
        let templates = self.templates.iter();
        templates.map(move |template| PathBuf::from(template.replace('?', &path)))
    }

    fn read(&mut self, module: &str) -> Result<Option<()>, String> {
        // Names with `..` or `/` at their beginning would leave the folders.
        if module.starts_with('/') || module.contains("..") {
            return Ok(None);
        }
        let places: Vec<PathBuf> = self.places(module).collect();
        for place in places {
            let Ok(about) = std::fs::metadata(&place) else {
                continue;
            };
            if !about.is_file() {
                continue;
            }
            if about.len() > TEXT_MAX || self.found.len() >= MODULES_MAX {
                let place = place.display();
                return Err(format!(
                    "`{place}`: a module has at most {TEXT_MAX} bytes, a plugin {MODULES_MAX} modules"
                ));
            }
            let text = std::fs::read_to_string(&place)
                .map_err(|error| format!("`{}` cannot be read: {error}", place.display()))?;
            self.found.insert(module.to_owned(), text);
            return Ok(Some(()));
        }
        Ok(None)
    }
}

/// The modules that a text names.
fn asked(text: &str) -> Vec<String> {
    let Some(pattern) = ASKED.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split("--").next().unwrap_or_default();
        for one in pattern.captures_iter(line) {
            let name = one[1].to_owned();
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}
