//! `.proto` files: read and compiled when a configuration is.
//!
//! `google/protobuf/*.proto` and the annotations of `google/api` need not lie anywhere: they are
//! known. Other imports are looked for beside the file, and where the reference looks.

use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};
use protox::{Compiler, Error};

/// Where imports are looked for after the folder of the file.
///
/// Compat: the folders of the reference.
const FOLDERS: [&str; 3] = [
    "/usr/local/kong/include",
    "/usr/local/opt/protobuf/include",
    "/usr/include",
];

/// The extension that carries the rules.
const EXTENSION: &str = "google.api.http";

/// How the rules are written, as far as they are read here. Not a `oneof`: published examples
/// name several methods in one rule.
const RULES: &str = r#"syntax = "proto3";
package google.api;
message Http {
  repeated HttpRule rules = 1;
  bool fully_decode_reserved_expansion = 2;
}
message HttpRule {
  string selector = 1;
  string get = 2;
  string put = 3;
  string post = 4;
  string delete = 5;
  string patch = 6;
  string body = 7;
  CustomHttpPattern custom = 8;
  repeated HttpRule additional_bindings = 11;
  string response_body = 12;
}
message CustomHttpPattern {
  string kind = 1;
  string path = 2;
}
"#;

/// Where the rules stand.
const ANNOTATIONS: &str = r#"syntax = "proto3";
package google.api;
import "google/api/http.proto";
import "google/protobuf/descriptor.proto";
extend google.protobuf.MethodOptions {
  HttpRule http = 72295728;
}
"#;

/// Files that are known without lying anywhere.
struct Known;

impl FileResolver for Known {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        match name {
            "google/api/annotations.proto" => File::from_source(name, ANNOTATIONS),
            "google/api/http.proto" => File::from_source(name, RULES),
            _ => Err(Error::file_not_found(name)),
        }
    }
}

/// A way to call a method by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// HTTP method, upper case.
    pub(crate) verb: String,
    /// Template of the path.
    pub(crate) path: String,
    /// The field that the body is, `*` for the whole message; empty where there is none.
    pub(crate) body: String,
    /// The field of the answer that is its body; empty for the whole message.
    pub(crate) response_body: String,
}

/// A method of a service.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// `/package.Service/Method`.
    pub(crate) path: String,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    pub(crate) rules: Vec<Rule>,
}

/// What a file and its imports describe.
#[derive(Clone, Debug)]
pub(crate) struct Protos {
    pub(crate) methods: Vec<Method>,
}

impl Protos {
    /// Reads a file with its imports.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong, with file and place.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("`{}`: {error}", path.display());
        let path = std::path::absolute(path).map_err(said)?;
        // Read before it is compiled, so that a file that is not there is told from an import.
        std::fs::metadata(&path).map_err(said)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("/")).to_owned();
        let mut resolver = ChainFileResolver::new();
        resolver.add(Known);
        resolver.add(GoogleFileResolver::new());
        let folders = FOLDERS.into_iter().map(PathBuf::from);
        for folder in std::iter::once(folder).chain(folders) {
            resolver.add(IncludeFileResolver::new(folder));
        }
        let mut compiler = Compiler::with_file_resolver(resolver);
        let opened = compiler.open_file(&path).map(|_| ());
        opened.map_err(|error| format!("{error:?}").trim().replace('\n', " "))?;
        Ok(Self::of(&compiler.descriptor_pool()))
    }

    fn of(pool: &DescriptorPool) -> Self {
        let services: Vec<_> = pool.services().collect();
        let methods = services.iter().flat_map(|service| service.methods());
        Self {
            methods: methods.map(|method| read(&method)).collect(),
        }
    }

    /// The method that a path ends with.
    pub(crate) fn method(&self, path: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.path == path)
    }
}

fn read(method: &MethodDescriptor) -> Method {
    let mut rules = Vec::new();
    let extension = method.parent_pool().get_extension_by_name(EXTENSION);
    if let Some(extension) = extension {
        let options = method.options();
        if options.has_extension(&extension)
            && let Some(rule) = options.get_extension(&extension).as_message()
        {
            collect(rule, &mut rules);
        }
    }
    Method {
        path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
        input: method.input(),
        output: method.output(),
        rules,
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    let text = value.as_ref().and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}

/// The rules of an annotation, those of its additional bindings behind its own.
fn collect(message: &DynamicMessage, rules: &mut Vec<Rule>) {
    let mut add = |verb: &str, path: String| {
        if !path.is_empty() {
            rules.push(Rule {
                verb: verb.to_ascii_uppercase(),
                path,
                body: text(message, "body"),
                response_body: text(message, "response_body"),
            });
        }
    };
    for verb in ["get", "put", "post", "delete", "patch"] {
        add(verb, text(message, verb));
    }
    if let Some(custom) = message.get_field_by_name("custom")
        && let Some(custom) = custom.as_message()
    {
        add(&text(custom, "kind"), text(custom, "path"));
    }
    let further = message.get_field_by_name("additional_bindings");
    let further = further.as_ref().and_then(|list| list.as_list());
    for rule in further.into_iter().flatten() {
        if let Some(rule) = rule.as_message() {
            collect(rule, rules);
        }
    }
}
