//! `file-log` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput};

use super::schema::Config;
use super::writer::{Line, Writer};
use crate::record::{self, CustomFields};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(FileLog {
        path: config.path.into(),
        reopen: config.reopen,
        custom: CustomFields::prepare(input.config, &mut context.notices),
        writer: context.shared.get(),
    }))
}

struct FileLog {
    path: Arc<str>,
    reopen: bool,
    custom: CustomFields,
    writer: Arc<Writer>,
}

impl Handler for FileLog {
    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let mut bytes = record::render(exchange, outcome, &self.custom);
        bytes.push(b'\n');
        self.writer.write(Line {
            path: Arc::clone(&self.path),
            reopen: self.reopen,
            bytes,
        });
    }
}
