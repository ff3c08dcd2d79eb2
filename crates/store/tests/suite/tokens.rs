//! API tokens.

use std::sync::Arc;

use koine_store::{NewToken, Store, StoreError};
use uuid::Uuid;

use crate::fixtures::environment;

fn new_token(environment_id: Uuid, expires_at: Option<&str>) -> NewToken {
    NewToken {
        environment_id,
        name: "ci".to_owned(),
        account_ids: Some(vec![Uuid::from_u128(5)]),
        read_only: true,
        administrator: false,
        expires_at: expires_at.map(str::to_owned),
    }
}

pub(crate) async fn tokens_are_found_by_secret(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (token, secret) =
        store.create_token(new_token(home.id, Some("2999-01-01T02:00:00+02:00"))).await.unwrap();
    assert!(secret.starts_with("koine_") && secret.len() == "koine_".len() + 43, "256 bits in base64url");
    assert_eq!(token.expires_at.as_deref(), Some("2999-01-01T00:00:00.000Z"));
    assert_eq!(store.find_token(&secret).await.unwrap(), Some(token.clone()));
    assert_eq!(store.find_token("koine_other").await.unwrap(), None);

    let elsewhere = environment(&store).await;
    let (other, other_secret) = store.create_token(new_token(elsewhere.id, None)).await.unwrap();
    assert_ne!(secret, other_secret);
    assert_eq!(store.list_tokens(Some(home.id)).await.unwrap(), std::slice::from_ref(&token));
    assert_eq!(store.list_tokens(None).await.unwrap(), [token, other]);
}

pub(crate) async fn expired_and_revoked_tokens_are_not_found(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (_, expired) = store.create_token(new_token(home.id, Some("2020-01-01T00:00:00Z"))).await.unwrap();
    assert_eq!(store.find_token(&expired).await.unwrap(), None);

    let (token, revoked) = store.create_token(new_token(home.id, None)).await.unwrap();
    assert!(store.revoke_token(token.id).await.unwrap());
    assert!(!store.revoke_token(token.id).await.unwrap(), "revoked before");
    assert!(!store.revoke_token(Uuid::nil()).await.unwrap(), "no such token");
    assert_eq!(store.find_token(&revoked).await.unwrap(), None);
    let listed = store.list_tokens(Some(home.id)).await.unwrap();
    assert!(listed.iter().any(|listed| listed.id == token.id && listed.revoked_at.is_some()));
}

pub(crate) async fn tokens_need_an_environment(store: Arc<dyn Store>) {
    let nowhere = store.create_token(new_token(Uuid::nil(), None)).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound { .. })));
    let home = environment(&store).await;
    let badly_timed = store.create_token(new_token(home.id, Some("soon"))).await;
    assert!(matches!(badly_timed, Err(StoreError::Invalid { .. })));
}
