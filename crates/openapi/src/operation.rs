//! One operation, and what can be said about it in general.

use serde_json::{Value, json};

/// One operation of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Upper case.
    pub method: &'static str,
    /// With `{parameters}`.
    pub path: String,
    /// Unique in its document; made from method and path when it is built by [`Operation::new`].
    pub id: String,
    /// One sentence.
    pub summary: String,
    /// Under which heading it stands.
    pub tag: &'static str,
    /// Parameters of the query.
    pub query: Vec<Query>,
    /// The schema of the body, if it takes one.
    pub body: Option<Value>,
    /// The media types that a body may have.
    pub media: &'static [&'static str],
    /// The statuses of success.
    pub success: Vec<u16>,
    /// The schema of the answer; without one the answer has no body.
    pub answer: Option<Value>,
    /// How its errors look.
    pub errors: ErrorForm,
    /// Who may call it.
    pub access: Access,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Not at all.
    Open,
    /// By a token.
    Token,
    /// By a certificate of the control plane.
    Certificate,
}

/// How errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorForm {
    /// `application/problem+json`.
    Problem,
    /// The older form of configuration APIs, with `message` and `details`.
    Configuration,
    /// The form of the gateway's own Admin API, with `message`, `name`, `code` and `fields`.
    Gateway,
}

/// A parameter of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: QueryKind,
    /// One sentence.
    pub description: &'static str,
}

/// What a parameter of a query holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within limits; the greatest there is means no upper one.
    Number(u64, u64),
}

impl Query {
    /// A parameter that holds any text.
    #[must_use]
    pub const fn text(name: &'static str, description: &'static str) -> Self {
        let kind = QueryKind::Text;
        Self {
            name,
            kind,
            description,
        }
    }

    /// A parameter that is `true` or `false`.
    #[must_use]
    pub const fn flag(name: &'static str, description: &'static str) -> Self {
        let kind = QueryKind::Flag;
        Self {
            name,
            kind,
            description,
        }
    }

    /// A whole number within limits.
    #[must_use]
    pub const fn number(
        name: &'static str,
        (least, most): (u64, u64),
        description: &'static str,
    ) -> Self {
        let kind = QueryKind::Number(least, most);
        Self {
            name,
            kind,
            description,
        }
    }

    fn describe(&self) -> Value {
        let schema = match self.kind {
            QueryKind::Text => json!({"type": "string"}),
            QueryKind::Flag => json!({"type": "boolean"}),
            QueryKind::Number(least, u64::MAX) => json!({"type": "integer", "minimum": least}),
            QueryKind::Number(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
        };
        json!({
            "name": self.name,
            "in": "query",
            "required": false,
            "description": self.description,
            "schema": schema,
        })
    }
}

impl ErrorForm {
    /// The name of the schema of these errors.
    pub(super) const fn component(self) -> &'static str {
        match self {
            Self::Problem => "Problem",
            Self::Configuration => "ConfigurationError",
            Self::Gateway => "GatewayError",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::Configuration | Self::Gateway => "application/json",
        }
    }
}

impl Operation {
    /// An operation without query, body and answer.
    #[must_use]
    pub fn new(method: &'static str, path: impl Into<String>, summary: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            id: id(method, &path),
            method,
            path,
            summary: summary.into(),
            tag: "",
            query: Vec::new(),
            body: None,
            media: &["application/json"],
            success: vec![200],
            answer: None,
            errors: ErrorForm::Problem,
            access: Access::Token,
        }
    }

    /// Whether a token has to be sent.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        self.access == Access::Token
    }

    pub(super) fn describe(&self) -> Value {
        let path = parameters(&self.path).map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": {"type": "string", "minLength": 1},
            })
        });
        let parameters: Vec<_> = path.chain(self.query.iter().map(Query::describe)).collect();
        let mut described = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [self.tag],
            "parameters": parameters,
            "responses": self.responses(),
            "security": match self.access {
                Access::Open => json!([]),
                Access::Token => json!([{"token": []}]),
                Access::Certificate => json!([{"certificate": []}]),
            },
        });
        if let Some(schema) = &self.body {
            let mut content = json!({});
            for media in self.media {
                content[*media] = json!({"schema": schema});
            }
            // Compat: to the gateway no body is an empty object.
            let required = self.errors != ErrorForm::Gateway;
            described["requestBody"] = json!({"required": required, "content": content});
        }
        described
    }

    fn responses(&self) -> Value {
        let mut answers = json!({});
        for status in &self.success {
            let mut answer = json!({"description": "Success"});
            if let (Some(schema), true) = (&self.answer, *status != 204) {
                answer["content"] = json!({"application/json": {"schema": schema}});
            }
            answers[status.to_string()] = answer;
        }
        for (status, description) in self.faults() {
            let reference = format!("#/components/schemas/{}", self.errors.component());
            answers[status.to_string()] = json!({
                "description": description,
                "content": {self.errors.media_type(): {"schema": {"$ref": reference}}},
            });
        }
        answers
    }

    /// The statuses of failure.
    fn faults(&self) -> Vec<(u16, &'static str)> {
        let mut faults = Vec::new();
        let has_path = self.path.contains('{');
        if has_path || self.body.is_some() || !self.query.is_empty() {
            faults.push((400, "The request breaks rules; all of them are named"));
        }
        if self.access != Access::Open {
            faults.push((401, "No credential, or one that is not good"));
            faults.push((403, "The caller may not do this"));
        }
        if has_path {
            faults.push((
                404,
                "There is no such thing, or it is another organisation's",
            ));
        }
        if self.access != Access::Open {
            // A body is read before it is known that none is wanted.
            faults.push((408, "The body took too long"));
            faults.push((413, "The body is too large"));
        }
        if self.body.is_some() {
            faults.push((
                409,
                "Something else holds the name, or changed at the same time",
            ));
            faults.push((415, "The body is not JSON"));
        }
        faults.push((503, "The records cannot be reached now; try again"));
        faults
    }
}

/// The parameters of a path, in order.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split(['{', '}']).skip(1).step_by(2)
}

/// A name made from method and path: `list-services-routes`, `delete-services`.
fn id(method: &str, path: &str) -> String {
    let is_item = path.ends_with('}');
    let verb = match (method, is_item) {
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "put",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "clear",
        _ => "call",
    };
    let mut name = verb.to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        if segment.starts_with('{') {
            continue;
        }
        name.push('-');
        name.push_str(&segment.replace('_', "-"));
    }
    name
}
