//! `aws-lambda`: calls an AWS Lambda function and answers with its result.

mod rules;
mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("aws-lambda", 750, schema::schema);
