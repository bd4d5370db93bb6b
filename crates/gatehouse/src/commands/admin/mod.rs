//! `gatehouse admin`: access to a platform from its own machine, for whoever may read its folder.

mod backup;

use identity::{Identity, TokenOwner, TokenRequest, User};

use crate::cli::{Admin, AdminUser};
use crate::failure::Failure;
use crate::{environment, output};

/// Characters of a password that is made: about 143 bits.
pub(crate) const PASSWORD_LENGTH: usize = 24;
const MILLIS_OF_A_DAY: u64 = 86_400_000;

pub(super) fn run(command: &Admin) -> Result<(), Failure> {
    match command {
        Admin::Backup { file, place, key } => return backup::create(file, place, key),
        Admin::Restore { file, place, key } => return backup::restore(file, place, key),
        Admin::Verify { file, key } => return backup::verify(file, key),
        Admin::ResetPassword(_) | Admin::CreateToken { .. } => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match command {
            Admin::ResetPassword(user) => reset_password(user).await,
            Admin::CreateToken { user, name, days } => create_token(user, name, *days).await,
            Admin::Backup { .. } | Admin::Restore { .. } | Admin::Verify { .. } => Ok(()),
        }
    })
}

async fn reset_password(arguments: &AdminUser) -> Result<(), Failure> {
    let identity = open(arguments)?;
    let user = find_user(&identity, &arguments.email).await?;
    let password = clock::random_alphanumeric(PASSWORD_LENGTH);
    identity.set_password(user.id, &password).await?;
    output::print(&format!("The new password of {}: {password}", user.email));
    Ok(())
}

async fn create_token(arguments: &AdminUser, name: &str, days: u64) -> Result<(), Failure> {
    let identity = open(arguments)?;
    let user = find_user(&identity, &arguments.email).await?;
    let token = new_token(&identity, &user, name, days).await?;
    output::print(&format!("The new access token of {}: {token}", user.email));
    Ok(())
}

/// Opens what the platform keeps about people. A quickstart keeps its platform one folder below.
fn open(arguments: &AdminUser) -> Result<Identity, Failure> {
    let data_dir = environment::data_dir(arguments.place.data_dir.as_deref());
    let below = data_dir.join("platform");
    let folder = if below.is_dir() { below } else { data_dir };
    if !folder.is_dir() {
        return Err(Failure::new(format!(
            "`{}` holds no platform; name its folder with --data-dir",
            folder.display()
        )));
    }
    let database = super::database_of(arguments.place.database_url.as_deref())?;
    Ok(platform::open_identity(&folder, database.as_ref())?)
}

/// The user with this address.
pub(crate) async fn find_user(identity: &Identity, email: &str) -> Result<User, Failure> {
    let wanted = email.to_lowercase();
    for organisation in identity.organisations().await? {
        let users = identity.users(organisation.id).await?;
        if let Some(user) = users.into_iter().find(|user| user.email == wanted) {
            return Ok(user);
        }
    }
    Err(Failure::new(format!("there is no user `{email}`")))
}

/// Makes a token; one of the same name that exists already makes way by a number.
pub(crate) async fn new_token(
    identity: &Identity,
    user: &User,
    name: &str,
    days: u64,
) -> Result<String, Failure> {
    let owner = TokenOwner::User(user.id);
    let taken = identity.tokens(owner).await?;
    let is_free = |name: &str| !taken.iter().any(|token| token.name == name);
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let name = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| is_free(name));
    let expires_at = clock::unix_millis() + days * MILLIS_OF_A_DAY;
    let request = TokenRequest {
        owner,
        name: name.unwrap_or_default(),
        expires_at,
    };
    Ok(identity
        .create_token(request)
        .await?
        .secret
        .reveal()
        .to_owned())
}
