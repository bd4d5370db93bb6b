//! Why a set of routes cannot become a router.

use thiserror::Error;
use uuid::Uuid;

/// One reason why a route cannot be compiled.
#[derive(Debug, Clone, Error)]
pub enum RouteProblem {
    /// A path or header pattern is not a valid regular expression of the engine.
    #[error("regular expression `{pattern}` in `{field}` cannot be used: {reason}")]
    Pattern {
        /// The field of the route, such as `paths[0]` or `headers.x-a`.
        field: String,
        /// The pattern as configured.
        pattern: String,
        /// What the engine says, on one line.
        reason: String,
    },
    /// An expression cannot be read or makes no sense.
    #[error("`expression` cannot be used: {0}")]
    Expression(expressions::ExpressionError),
    /// An address rule is neither an address nor a block.
    #[error("`{value}` in `{field}` is neither an IP address nor a CIDR block")]
    Address {
        /// The field of the route, such as `sources[0].ip`.
        field: String,
        /// The text as configured.
        value: String,
    },
}

/// A problem together with the route that has it.
#[derive(Debug, Clone, Error)]
#[error("route `{}` (`{id}`): {problem}", name.as_deref().unwrap_or("without name"))]
pub struct CompileError {
    /// Index of the route in the input.
    pub route: usize,
    /// Id of the route.
    pub id: Uuid,
    /// Name of the route.
    pub name: Option<String>,
    /// What is wrong.
    pub problem: RouteProblem,
}

/// Why a request path is refused: the answer is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPath {
    /// The path does not begin with a slash.
    #[error("path does not begin with `/`")]
    NotAbsolute,
    /// A `%` without two hexadecimal digits.
    #[error("path holds a `%` that no two hexadecimal digits follow")]
    Escape,
    /// A NUL byte, plain or escaped.
    #[error("path holds a NUL byte")]
    Nul,
    /// `..` leads above the root.
    #[error("path leads above the root")]
    AboveRoot,
}
