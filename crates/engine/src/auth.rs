//! Stage 1: who calls.

use koine_model::{Error, ErrorCode};

use crate::{Caller, Engine};

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
        let token = self.parts.store.find_token(secret.trim()).await.map_err(Error::internal)?;
        let token = token.ok_or_else(|| refuse("the token is unknown, revoked or expired"))?;
        Ok(Caller {
            environment_id: token.environment_id,
            token_id: Some(token.id),
            accounts: token.account_ids,
            read_only: token.read_only,
        })
    }
}
