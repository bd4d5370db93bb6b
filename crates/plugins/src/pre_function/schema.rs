//! Configuration of `pre-function`.

use schema::Schema;

use crate::records::functions::functions;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    functions("pre-function")
}
