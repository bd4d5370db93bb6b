//! Tokens: who gets in, and when no more.

use gatehouse_identity::{
    AuthError, Identity, IdentityError, PrincipalKind, TokenOwner, TokenRequest, TokenState,
};
use test_support::{Postgres, TempDir, eventually};
use uuid::Uuid;

use crate::common::*;

#[tokio::test]
async fn bootstrap_works_once_and_its_token_lets_in() {
    let folder = TempDir::new("identity");
    let identity = Identity::open(store(&folder));
    assert!(!identity.is_bootstrapped().await.unwrap());
    let made = identity
        .bootstrap("Example Org", "Admin@Example.com")
        .await
        .unwrap();
    assert!(identity.is_bootstrapped().await.unwrap());

    let principal = identity.authenticate(made.token.reveal()).await.unwrap();

    assert_eq!(principal.organisation, made.organisation.id);
    assert_eq!(principal.user, Some(made.user.id));
    assert_eq!(principal.kind, PrincipalKind::PersonalToken);
    assert_eq!(principal.name, "admin@example.com");
    assert_eq!(made.organisation.login_path, "example-org");
    assert_eq!(made.organisation.owner_id, made.user.id);
    let again = identity
        .bootstrap("Other", "other@example.com")
        .await
        .unwrap_err();
    assert_eq!(again, IdentityError::AlreadyBootstrapped);
    assert_eq!(identity.organisations().await.unwrap(), [made.organisation]);
}

#[tokio::test]
async fn of_several_bootstraps_at_once_one_wins() {
    let folder = TempDir::new("identity");
    let identity = Identity::open(store(&folder));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..5 {
        let identity = identity.clone();
        tasks.spawn(async move { identity.bootstrap("Org", &format!("a{n}@b")).await.is_ok() });
    }
    let won = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    assert_eq!(won, 1);
    assert_eq!(identity.organisations().await.unwrap().len(), 1);
}

/// Two processes on one database, long before the second would ask for the token again.
#[tokio::test]
async fn token_that_another_process_revokes_lets_nobody_in_any_more() {
    let server = Postgres::shared();
    let config = store::PostgresConfig::from_url(&server.url(&server.fresh_schema())).unwrap();
    let one = Identity::open(store_at(config.clone().into()));
    let made = one.bootstrap("Org", "a@example.com").await.unwrap();
    let other = Identity::open(store_at(config.into()));
    let again = other.bootstrap("Org", "a@example.com").await;
    assert_eq!(again.unwrap_err(), IdentityError::AlreadyBootstrapped);
    let following = other.clone();
    let following = tokio::spawn(async move { following.follow_others().await });
    let bearer = made.token.reveal();
    other.authenticate(bearer).await.unwrap();
    let owner = TokenOwner::User(made.user.id);
    let token = one.tokens(owner).await.unwrap().remove(0);

    one.revoke_token(owner, token.id, None).await.unwrap();

    eventually("the token is refused", async || {
        other.authenticate(bearer).await.err()
    })
    .await;
    following.abort();
}

#[tokio::test]
async fn token_has_its_prefix_and_256_random_bits() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let one = token(&identity, made.user.id, "one").await.secret;
    let two = token(&identity, made.user.id, "two").await.secret;
    for secret in [&one, &two] {
        let rest = secret.reveal().strip_prefix("kpat_").unwrap();
        assert_eq!(rest.len(), 43);
        assert!(rest.chars().all(|c| c.is_ascii_alphanumeric()));
    }
    assert_ne!(one, two);
    assert_eq!(format!("{one:?}"), "Secret(…)");
}

#[tokio::test]
async fn neither_tokens_nor_passwords_lie_on_the_disk() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    identity.authenticate(made.token.reveal()).await.unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap();
    let bytes: Vec<u8> = files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let contains = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());

    assert!(contains("admin@example.com"));
    assert!(!contains(made.token.reveal()));
    assert!(!contains(&made.token.reveal()[5..]));
    assert!(!contains(made.password.reveal()));
}

#[tokio::test]
async fn malformed_tokens_are_refused_before_the_store_is_asked() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let good = made.token.reveal();
    let rest = &good[5..];
    let bad = [
        String::new(),
        "kpat_".to_owned(),
        rest.to_owned(),
        format!("KPAT_{rest}"),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}x"),
        good[..good.len() - 1].to_owned(),
        format!("kpat_{}", "é".repeat(43)),
        format!("kpat_{}-", &rest[..42]),
        format!("kpat_{}", "a".repeat(1 << 20)),
        format!("{good}\0"),
    ];
    for text in bad {
        let error = identity.authenticate(&text).await.unwrap_err();
        assert_eq!(error, AuthError::Malformed, "{text:.60}");
    }
}

#[tokio::test]
async fn unknown_tokens_are_refused() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let rest = &made.token.reveal()[5..];
    let other_end = if rest.ends_with('a') { 'b' } else { 'a' };
    for text in [
        format!("kpat_{}", "a".repeat(43)),
        format!("kpat_{}{other_end}", &rest[..42]),
        // The right secret under the wrong kind.
        format!("spat_{rest}"),
    ] {
        assert_eq!(
            identity.authenticate(&text).await.unwrap_err(),
            AuthError::Unknown
        );
    }
}

#[tokio::test]
async fn expired_token_is_refused_even_when_it_was_seen_before() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let start = clock::unix_millis();
    let frozen = clock::freeze(start);
    let made = token(&identity, made.user.id, "short").await;
    identity.authenticate(made.secret.reveal()).await.unwrap();
    drop(frozen);

    let end = made.token.expires_at;
    let frozen = clock::freeze(end - 1);
    identity.authenticate(made.secret.reveal()).await.unwrap();
    drop(frozen);
    let _frozen = clock::freeze(end);
    let error = identity
        .authenticate(made.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Expired);
    let listed = identity.tokens(made.token.owner).await.unwrap();
    let short = listed
        .iter()
        .find(|token| token.id == made.token.id)
        .unwrap();
    assert_eq!(short.state(clock::unix_millis()), TokenState::Expired);
}

#[tokio::test]
async fn revocation_acts_at_once_on_every_handle() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let elsewhere = identity.clone();
    let one = token(&identity, made.user.id, "one").await;
    let two = token(&identity, made.user.id, "two").await;
    for secret in [&one.secret, &two.secret] {
        elsewhere.authenticate(secret.reveal()).await.unwrap();
    }

    let owner = TokenOwner::User(made.user.id);
    let revoked = identity
        .revoke_token(owner, one.token.id, Some(made.user.id))
        .await
        .unwrap();

    let error = elsewhere
        .authenticate(one.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Revoked);
    elsewhere.authenticate(two.secret.reveal()).await.unwrap();
    assert_eq!(revoked.revoked_by, Some(made.user.id));
    assert_eq!(revoked.state(clock::unix_millis()), TokenState::Revoked);
    // Again changes nothing, not even the moment.
    let again = identity
        .revoke_token(owner, one.token.id, None)
        .await
        .unwrap();
    assert_eq!(again, revoked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_in_after_a_revocation_was_acknowledged() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    for round in 0..20 {
        let new = token(&identity, made.user.id, &format!("t{round}")).await;
        let mut checks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (identity, secret) = (identity.clone(), new.secret.clone());
            checks.spawn(async move { drop(identity.authenticate(secret.reveal()).await) });
        }
        identity
            .revoke_token(new.token.owner, new.token.id, None)
            .await
            .unwrap();
        let after = identity.authenticate(new.secret.reveal()).await;
        checks.join_all().await;
        let later = identity.authenticate(new.secret.reveal()).await;
        assert_eq!(after.unwrap_err(), AuthError::Revoked);
        assert_eq!(later.unwrap_err(), AuthError::Revoked);
    }
}

#[tokio::test]
async fn tokens_survive_a_restart_and_so_does_revocation() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let gone = token(&identity, made.user.id, "gone").await;
    let owner = gone.token.owner;
    identity
        .revoke_token(owner, gone.token.id, None)
        .await
        .unwrap();
    drop(identity);

    let identity = Identity::open(store(&folder));

    identity.authenticate(made.token.reveal()).await.unwrap();
    let error = identity
        .authenticate(gone.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Revoked);
}

#[tokio::test]
async fn deleted_token_is_unknown() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let new = token(&identity, made.user.id, "t").await;
    identity.authenticate(new.secret.reveal()).await.unwrap();

    identity
        .delete_token(new.token.owner, new.token.id)
        .await
        .unwrap();

    let error = identity
        .authenticate(new.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Unknown);
    // Its name is free again.
    token(&identity, made.user.id, "t").await;
}

#[tokio::test]
async fn tokens_of_others_cannot_be_touched() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let other = identity
        .create_user(made.organisation.id, "b@c", "")
        .await
        .unwrap();
    let mine = token(&identity, made.user.id, "mine").await;
    let stranger = TokenOwner::User(other.id);
    // The same id as another kind of owner is another owner too.
    let disguise = TokenOwner::SystemAccount(made.user.id);
    for owner in [stranger, disguise] {
        let missing = IdentityError::NotFound {
            what: "token",
            id: mine.token.id.to_string(),
        };
        let id = mine.token.id;
        assert_eq!(
            identity.revoke_token(owner, id, None).await.unwrap_err(),
            missing
        );
        assert_eq!(identity.delete_token(owner, id).await.unwrap_err(), missing);
        assert_eq!(
            identity.rename_token(owner, id, "x").await.unwrap_err(),
            missing
        );
    }
    identity.authenticate(mine.secret.reveal()).await.unwrap();
    assert_eq!(identity.tokens(stranger).await.unwrap(), []);
}

#[tokio::test]
async fn names_of_tokens_are_unique_for_their_owner() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let other = identity
        .create_user(made.organisation.id, "b@c", "")
        .await
        .unwrap();
    let first = token(&identity, made.user.id, "ci").await;
    token(&identity, other.id, "ci").await;
    let second = token(&identity, made.user.id, "cd").await;

    let owner = TokenOwner::User(made.user.id);
    let taken = IdentityError::Taken {
        what: "token",
        name: "ci".to_owned(),
    };
    let error = identity
        .create_token(request(owner, "ci", 30))
        .await
        .unwrap_err();
    assert_eq!(error, taken);
    let error = identity
        .rename_token(owner, second.token.id, "ci")
        .await
        .unwrap_err();
    assert_eq!(error, taken);
    let renamed = identity
        .rename_token(owner, second.token.id, "deploy")
        .await
        .unwrap();
    assert_eq!(renamed.name, "deploy");
    identity.authenticate(second.secret.reveal()).await.unwrap();
    identity.authenticate(first.secret.reveal()).await.unwrap();
}

#[tokio::test]
async fn requests_that_break_a_rule_make_no_token() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let owner = TokenOwner::User(made.user.id);
    let bad = [
        request(owner, "", 30),
        request(owner, "a/b", 30),
        request(owner, "a", 400),
    ];
    for request in bad {
        let error = identity.create_token(request).await.unwrap_err();
        assert!(matches!(error, IdentityError::Invalid { .. }), "{error}");
    }
    let past = TokenRequest {
        owner,
        name: "a".to_owned(),
        expires_at: 5,
    };
    let error = identity.create_token(past).await.unwrap_err();
    assert!(
        matches!(
            error,
            IdentityError::Invalid {
                field: "expires_at",
                ..
            }
        ),
        "{error}"
    );
    for nobody in [
        TokenOwner::User(Uuid::nil()),
        TokenOwner::SystemAccount(made.user.id),
    ] {
        let error = identity
            .create_token(request(nobody, "a", 30))
            .await
            .unwrap_err();
        assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
    }
    assert_eq!(identity.tokens(owner).await.unwrap().len(), 1);
}

#[tokio::test]
async fn owner_has_at_most_ten_working_tokens() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let owner = TokenOwner::User(made.user.id);
    // One exists since the bootstrap.
    let mut last = None;
    for n in 1..10 {
        last = Some(token(&identity, made.user.id, &format!("t{n}")).await);
    }
    let error = identity
        .create_token(request(owner, "t10", 30))
        .await
        .unwrap_err();
    assert_eq!(error, IdentityError::TooManyTokens { limit: 10 });

    identity
        .revoke_token(owner, last.unwrap().token.id, None)
        .await
        .unwrap();
    token(&identity, made.user.id, "t10").await;
}

#[tokio::test]
async fn ended_tokens_are_remembered_up_to_a_limit() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let owner = TokenOwner::User(made.user.id);
    for n in 0..120 {
        let new = token(&identity, made.user.id, &format!("t{n}")).await;
        identity
            .revoke_token(owner, new.token.id, None)
            .await
            .unwrap();
    }
    let listed = identity.tokens(owner).await.unwrap();
    assert_eq!(listed.len(), 100);
    assert!(listed.iter().any(|token| token.name == "bootstrap"));
    assert!(listed.iter().any(|token| token.name == "t119"));
    assert!(!listed.iter().any(|token| token.name == "t0"));
}

#[tokio::test]
async fn system_account_comes_with_its_own_kind_of_token() {
    let folder = TempDir::new("identity");
    let (identity, made) = started(&folder).await;
    let organisation = made.organisation.id;
    let account = identity
        .create_system_account(organisation, "ci", "builds")
        .await
        .unwrap();
    let owner = TokenOwner::SystemAccount(account.id);
    let new = identity
        .create_token(request(owner, "t", 30))
        .await
        .unwrap();
    assert!(new.secret.reveal().starts_with("spat_"));

    let principal = identity.authenticate(new.secret.reveal()).await.unwrap();

    assert_eq!(principal.kind, PrincipalKind::SystemToken);
    assert_eq!(
        (principal.user, principal.system_account),
        (None, Some(account.id))
    );
    assert_eq!(
        (principal.organisation, principal.name.as_str()),
        (organisation, "ci")
    );
    identity.delete_system_account(account.id).await.unwrap();
    let error = identity
        .authenticate(new.secret.reveal())
        .await
        .unwrap_err();
    assert_eq!(error, AuthError::Unknown);
}
