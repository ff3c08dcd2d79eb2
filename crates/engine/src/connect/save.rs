//! Credentials that a customer gave: saved, tried, and the link used up.

use koine_model::{Error, Secret};
use koine_store::{Account, GrantChange, Linked, LinkedAccount};
use serde_json::{Map, Value};

use super::form::{Choice, Typed};
use super::typed::{Whole, whole};
use super::visit::Visit;
use super::words;
use crate::{AuthorizationStarted, Engine, events};

/// Why an account is not connected, in words for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What kind of trouble it is.
    pub trouble: Trouble,
    /// What to tell the customer.
    pub message: String,
    /// What the vendor said, if anything.
    pub said: Option<String>,
    /// What is wrong with which field.
    pub fields: Vec<(String, String)>,
}

impl Rejected {
    /// It is our fault; the cause goes to the log.
    #[must_use]
    pub fn broken(error: &Error) -> Self {
        words::broken(error)
    }
}

/// The kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The form has to be corrected; nothing was saved.
    Form,
    /// The vendor refused what was saved, or did not answer.
    Validation,
    /// Nothing came of the vendor's page; nothing was saved.
    Consent,
    /// The link is over or was used.
    Over,
    /// Something broke on our side.
    Broken,
}

/// How it goes on.
#[derive(Clone, Debug)]
pub enum Step {
    /// The account is connected.
    Connected,
    /// The vendor asks for the rest: the browser goes there, with a cookie that it has when it comes back.
    Consent(AuthorizationStarted),
}

impl Engine {
    /// Saves what a customer typed and tries it with a call to the vendor. The account stays when the vendor refuses,
    /// in status `validation_error`, and the same visit may try again. Where the vendor asks for consent nothing is saved
    /// before the browser is back; `cookie` is what it has of an earlier time.
    ///
    /// # Errors
    /// What keeps the account from being connected.
    pub async fn connect(
        &self,
        visit: &Visit,
        connector: &str,
        way: &str,
        typed: &Typed,
        cookie: Option<Secret>,
    ) -> Result<Step, Rejected> {
        let choice = self.choice(visit, connector, way).await.map_err(|error| words::broken(&error))?;
        let Whole { context, keeps_grant } = whole(visit, &choice, typed).map_err(words::incomplete)?;
        if choice.is_consent {
            return self.send_out(visit, &choice, context, cookie).await.map(Step::Consent);
        }
        let grant = if keeps_grant { GrantChange::Keep } else { GrantChange::Drop };
        self.save_and_try(visit, &choice, context, grant).await.map(|()| Step::Connected)
    }

    pub(super) async fn save_and_try(
        &self,
        visit: &Visit,
        choice: &Choice<'_>,
        context: Map<String, Value>,
        grant: GrantChange,
    ) -> Result<(), Rejected> {
        let Choice { connector, way, kind, .. } = *choice;
        let new = LinkedAccount {
            connector: connector.name.clone(),
            authentication_method: way.to_owned(),
            context: Value::Object(context),
            grant,
        };
        let account = self.save_linked(visit, new).await?;
        let checked = self.check(account.environment_id, account.id).await;
        let account = checked.map_err(|error| words::refused(connector, kind, &error))?;
        if visit.account.as_ref().is_some_and(|before| before.status == "needs_reauth") {
            let told = self.emit_account(&account, events::ACCOUNT_REACTIVATED).await;
            told.map_err(|error| words::broken(&error))?;
        }
        Ok(())
    }

    async fn save_linked(&self, visit: &Visit, new: LinkedAccount) -> Result<Account, Rejected> {
        let saved = self.save_linked_account(&visit.session, new, &visit.actor()).await;
        match saved.map_err(|error| words::broken(&error))? {
            Linked::Created(account) | Linked::Updated(account) => Ok(account),
            Linked::Spent | Linked::Settled => Err(words::over()),
        }
    }
}
