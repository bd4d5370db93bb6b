//! `gatehouse platform`: the control-plane side, without a node.

use platform::{Platform, PlatformOptions};

use crate::cli::Platform as Arguments;
use crate::failure::Failure;
use crate::signals::End;
use crate::{environment, files, logging, output};

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    logging::start(arguments.log_level.0);
    let data_dir = environment::data_dir(arguments.data_dir.as_deref());
    files::make_folder(&data_dir)?;
    let mut options = PlatformOptions::new(data_dir);
    options.database = super::database_of(arguments.database_url.as_deref())?;
    options.base_domain = arguments.base_domain;
    options.listen = arguments.listen;
    options.public_port = arguments.public_port;
    options.geos = arguments.geos;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let mut end = End::listen()?;
        let platform = Platform::open(options).await?;
        first_start(&platform, &arguments.organisation, &arguments.admin_email).await?;
        platform.serve(async move { end.requested().await }).await?;
        Ok(())
    });
    runtime.shutdown_background();
    ended
}

/// Makes the first organisation and administrator, and shows their secrets once.
async fn first_start(platform: &Platform, name: &str, email: &str) -> Result<(), Failure> {
    let Some(made) = platform.bootstrap(name, email).await? else {
        return Ok(());
    };
    output::print(&format!(
        "A new platform was made. These secrets are shown once:\n\n  Administrator   {}\n  \
         Password        {}\n  Access token    {}\n\nClients have to trust this authority:\n\n{}",
        made.user.email,
        made.password.reveal(),
        made.token.reveal(),
        platform.ca_pem()
    ));
    Ok(())
}
