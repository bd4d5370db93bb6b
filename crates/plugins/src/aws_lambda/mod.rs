//! `aws-lambda`: calls an AWS Lambda function and answers with its result.

mod event;
mod handler;
mod result;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("aws-lambda", 750, schema::schema, handler::build).needs(Needs::REQUEST_BODY);
