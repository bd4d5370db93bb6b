//! Signing in with a password.

use gatehouse_identity::{AuthError, IdentityError, PrincipalKind};
use test_support::TempDir;

use crate::common::*;

#[tokio::test]
async fn bootstrap_password_signs_in_whatever_the_case_of_the_address() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    for email in [
        "admin@example.com",
        "ADMIN@example.com",
        " Admin@Example.Com ",
    ] {
        let principal = identity
            .sign_in(email, made.password.reveal())
            .await
            .unwrap();
        assert_eq!(principal.user, Some(made.user.id));
        assert_eq!(principal.kind, PrincipalKind::Password);
        assert_eq!(principal.organisation, made.organisation.id);
    }
}

#[tokio::test]
async fn wrong_password_and_unknown_address_are_one_answer() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    identity
        .create_user(made.organisation.id, "no-password@example.com", "")
        .await
        .unwrap();
    let right = made.password.reveal();
    let long = "x".repeat(100_000);
    for (email, password) in [
        ("admin@example.com", "wrong"),
        ("admin@example.com", ""),
        ("admin@example.com", &format!("{right} ")),
        ("admin@example.com", &long),
        ("nobody@example.com", right),
        ("no-password@example.com", right),
        ("no-password@example.com", ""),
        ("", right),
        ("not an address", right),
    ] {
        let error = identity.sign_in(email, password).await.unwrap_err();
        assert_eq!(error, AuthError::Unknown, "{email}");
    }
}

#[tokio::test]
async fn changed_password_replaces_the_old_one() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    identity
        .set_password(made.user.id, "a new and long one")
        .await
        .unwrap();

    let email = "admin@example.com";
    identity.sign_in(email, "a new and long one").await.unwrap();
    let error = identity
        .sign_in(email, made.password.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Unknown);
    for bad in ["short", "", &"x".repeat(2_000)] {
        let error = identity.set_password(made.user.id, bad).await.unwrap_err();
        assert!(
            matches!(
                error,
                IdentityError::Invalid {
                    field: "password",
                    ..
                }
            ),
            "{error}"
        );
    }
    let nobody = made.organisation.id;
    let error = identity
        .set_password(nobody, "a new and long one")
        .await
        .unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
}
