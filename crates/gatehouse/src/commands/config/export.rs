//! `gatehouse config db_export`: the configuration of a control plane as a declarative file.

use form_urlencoded::Serializer;

use hyper::Method;

use super::plane;
use super::target::Target;
use crate::cli::Export;
use crate::failure::Failure;
use crate::{files, output};

pub(super) fn run(arguments: &Export) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let target = Target::open(&arguments.access, &arguments.control_plane).await?;
        let mut query = Serializer::new(String::new());
        let is_json = arguments
            .file
            .as_ref()
            .and_then(|file| file.extension())
            .is_some_and(|extension| extension == "json");
        query.append_pair("format", if is_json { "json" } else { "yaml" });
        for tag in &arguments.select_tag {
            query.append_pair("select_tags", tag);
        }
        let rest = format!("/declarative-configuration?{}", query.finish());
        let answer = target.call(Method::GET, &rest, None).await?;
        if !answer.is_success() {
            return Err(plane::refused(&answer));
        }
        let text = answer.text();
        match &arguments.file {
            // It holds credentials.
            Some(file) => {
                files::write_new(file, files::PRIVATE, &text)?;
                output::print(&format!("wrote `{}`", file.display()));
            }
            None => output::print(text.trim_end()),
        }
        Ok(())
    })
}
