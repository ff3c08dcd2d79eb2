//! Stage 1: who calls.

use std::sync::Arc;

use aws_lc_rs::digest;
use koine_model::{Error, ErrorCode};
use koine_store::ApiToken;

use crate::types::Source;
use crate::{Caller, Engine, Rights};

impl Engine {
    /// Turns an `Authorization` header into a [`Caller`].
    ///
    /// # Errors
    /// 401 for a missing, unknown, revoked or expired token.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, Error> {
        let refuse = |why: &str| Error::new(ErrorCode::Unauthenticated, why);
        let header = authorization.ok_or_else(|| refuse("send `Authorization: Bearer <token>`"))?;
        let (scheme, secret) = header.split_once(' ').unwrap_or(("", ""));
        if !scheme.eq_ignore_ascii_case("bearer") || secret.trim().is_empty() {
            return Err(refuse("the Authorization header must be `Bearer <token>`"));
        }
        let token = self.token(secret.trim()).await?;
        let token = token.ok_or_else(|| refuse("the token is unknown, revoked or expired"))?;
        self.note_use(&token);
        Ok(Caller {
            environment_id: token.environment_id,
            token_id: Some(token.id),
            accounts: token.account_ids.clone(),
            rights: rights(&token),
            own_account: token.own_account_id,
            expires_at: token.expires_at.clone(),
            source: Source::Network(None),
        })
    }

    /// In the background, and of a token at most once a minute. Those of accounts come and go too fast to be noted.
    fn note_use(&self, token: &ApiToken) {
        if token.own_account_id.is_some() || !self.memory.uses.is_due(token.id) {
            return;
        }
        let (store, id) = (Arc::clone(&self.parts.store), token.id);
        tokio::spawn(async move {
            if let Err(error) = store.note_token_use(id).await {
                tracing::warn!(token.id = %id, error = %error, "the use of a token was not noted");
            }
        });
    }

    async fn token(&self, secret: &str) -> Result<Option<Arc<ApiToken>>, Error> {
        let hash = digest::digest(&digest::SHA256, secret.as_bytes());
        let key = <[u8; 32]>::try_from(hash.as_ref()).expect("SHA-256 has 32 bytes");
        let store = &self.parts.store;
        let version = store.version().await;
        if let Some(token) = self.memory.known.token(version, &key) {
            return Ok(Some(token).filter(|token| !token.has_expired()));
        }
        let found = store.find_token(secret).await.map_err(Error::internal)?.map(Arc::new);
        if let Some(token) = &found {
            self.memory.known.keep_token(version, key, token);
        }
        Ok(found)
    }
}

fn rights(token: &ApiToken) -> Rights {
    match (token.read_only, token.administrator) {
        (true, _) => Rights::Read,
        (false, false) => Rights::Write,
        (false, true) => Rights::Administer,
    }
}
