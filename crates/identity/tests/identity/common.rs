//! A store with one organisation.

use std::sync::Arc;

use gatehouse_identity::{Bootstrap, Identity, NewToken, TokenOwner, TokenRequest};
use store::{Location, NoEntities, Store, StoreOptions};
use test_support::TempDir;
use uuid::Uuid;

pub(crate) const DAY: u64 = 24 * 60 * 60 * 1_000;

pub(crate) fn store(folder: &TempDir) -> Store {
    store_at(folder.join("global.db").into())
}

pub(crate) fn store_at(location: Location) -> Store {
    let sealer = Arc::new(pki::Sealer::from_key(&[1; 32]).unwrap());
    Store::open(StoreOptions {
        location,
        sealer,
        catalogue: Arc::new(NoEntities),
    })
    .unwrap()
}

pub(crate) async fn started(folder: &TempDir) -> (Identity, Bootstrap) {
    let identity = Identity::open(store(folder));
    let bootstrap = identity
        .bootstrap("Example Org", "Admin@Example.com")
        .await
        .unwrap();
    (identity, bootstrap)
}

pub(crate) fn request(owner: TokenOwner, name: &str, days: u64) -> TokenRequest {
    let expires_at = clock::unix_millis() + days * DAY;
    TokenRequest {
        owner,
        name: name.to_owned(),
        expires_at,
    }
}

pub(crate) async fn token(identity: &Identity, user: Uuid, name: &str) -> NewToken {
    identity
        .create_token(request(TokenOwner::User(user), name, 30))
        .await
        .unwrap()
}
