//! Organisations, users and accounts.

use gatehouse_identity::{AuthError, IdentityError};
use test_support::TempDir;
use uuid::Uuid;

use crate::common::*;

#[tokio::test]
async fn inactive_user_and_organisation_let_nobody_in_at_once() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let bearer = made.token.reveal();
    let (email, password) = ("admin@example.com", made.password.reveal());
    identity.authenticate(bearer).await.unwrap();

    identity.set_user_active(made.user.id, false).await.unwrap();
    assert_eq!(
        identity.authenticate(bearer).await.unwrap_err(),
        AuthError::Inactive
    );
    assert_eq!(
        identity.sign_in(email, password).await.unwrap_err(),
        AuthError::Inactive
    );
    identity.set_user_active(made.user.id, true).await.unwrap();
    identity.authenticate(bearer).await.unwrap();

    let organisation = made.organisation.id;
    identity
        .set_organisation_active(organisation, false)
        .await
        .unwrap();
    assert_eq!(
        identity.authenticate(bearer).await.unwrap_err(),
        AuthError::Inactive
    );
    assert_eq!(
        identity.sign_in(email, password).await.unwrap_err(),
        AuthError::Inactive
    );
    identity
        .set_organisation_active(organisation, true)
        .await
        .unwrap();
    identity.sign_in(email, password).await.unwrap();
}

#[tokio::test]
async fn user_is_added_renamed_listed_and_removed() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let organisation = made.organisation.id;
    let user = identity
        .create_user(organisation, "Bob@example.com", "Bob")
        .await
        .unwrap();
    let new = token(&identity, user.id, "t").await;
    assert_eq!(user.email, "bob@example.com");

    let renamed = identity
        .rename_user(user.id, None, Some("Bobby"))
        .await
        .unwrap();

    assert_eq!(
        (renamed.full_name.as_str(), renamed.preferred_name.as_str()),
        ("Bob", "Bobby")
    );
    assert_eq!(identity.user(user.id).await.unwrap(), Some(renamed));
    assert_eq!(identity.users(organisation).await.unwrap().len(), 2);
    assert_eq!(identity.users(Uuid::nil()).await.unwrap(), []);
    identity.authenticate(new.secret.reveal()).await.unwrap();
    identity.delete_user(user.id).await.unwrap();
    assert_eq!(identity.user(user.id).await.unwrap(), None);
    let error = identity
        .authenticate(new.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Unknown);
    // The address is free again.
    identity
        .create_user(organisation, "bob@example.com", "")
        .await
        .unwrap();
}

#[tokio::test]
async fn users_that_break_a_rule_are_not_made() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let organisation = made.organisation.id;
    let error = identity
        .create_user(organisation, "ADMIN@example.com", "")
        .await
        .unwrap_err();
    assert!(
        matches!(error, IdentityError::Taken { what: "user", .. }),
        "{error}"
    );
    let error = identity
        .create_user(organisation, "nonsense", "")
        .await
        .unwrap_err();
    assert!(
        matches!(error, IdentityError::Invalid { field: "email", .. }),
        "{error}"
    );
    let long = "x".repeat(251);
    let error = identity
        .create_user(organisation, "a@b", &long)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            IdentityError::Invalid {
                field: "full_name",
                ..
            }
        ),
        "{error}"
    );
    let error = identity
        .create_user(Uuid::nil(), "a@b", "")
        .await
        .unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
    let error = identity
        .rename_user(made.user.id, Some(&long), None)
        .await
        .unwrap_err();
    assert!(matches!(error, IdentityError::Invalid { .. }), "{error}");
    let error = identity
        .rename_user(Uuid::nil(), None, None)
        .await
        .unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn owner_of_an_organisation_cannot_be_removed() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let error = identity.delete_user(made.user.id).await.unwrap_err();
    assert!(matches!(error, IdentityError::Invalid { .. }), "{error}");
    identity.authenticate(made.token.reveal()).await.unwrap();
}

#[tokio::test]
async fn names_of_system_accounts_are_unique_in_their_organisation() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let organisation = made.organisation.id;
    let account = identity
        .create_system_account(organisation, "ci", "")
        .await
        .unwrap();

    let error = identity
        .create_system_account(organisation, "ci", "")
        .await
        .unwrap_err();

    assert!(
        matches!(
            error,
            IdentityError::Taken {
                what: "system account",
                ..
            }
        ),
        "{error}"
    );
    let listed = identity.system_accounts(organisation).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&account));
    assert_eq!(
        identity.system_account(account.id).await.unwrap(),
        Some(account.clone())
    );
    identity.delete_system_account(account.id).await.unwrap();
    let error = identity
        .delete_system_account(account.id)
        .await
        .unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
    for (organisation, name) in [(organisation, ""), (Uuid::nil(), "ci")] {
        assert!(
            identity
                .create_system_account(organisation, name, "")
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn bootstrap_refuses_what_is_no_name_or_address() {
    let folder = TempDir::new("identity");
    let identity = gatehouse_identity::Identity::open(store(&folder));
    for (name, email) in [("", "a@b"), ("Org", "a"), ("Org", ""), ("a\nb", "a@b")] {
        let error = identity.bootstrap(name, email).await.unwrap_err();
        assert!(matches!(error, IdentityError::Invalid { .. }), "{error}");
    }
    assert!(!identity.is_bootstrapped().await.unwrap());
}
