//! Out to the page of a vendor on which a person consents, and back.

use std::net::IpAddr;

use koine_model::{Error, Secret};
use koine_store::GrantChange;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::form::Choice;
use super::save::Rejected;
use super::visit::Visit;
use super::words;
use crate::{AuthorizationAnswer, AuthorizationRequest, AuthorizationStarted, Engine, Granted};

/// What comes back with the browser. It is sealed meanwhile, and bound to a cookie.
#[derive(Serialize, Deserialize)]
struct Carried {
    visit: Uuid,
    secret: String,
    way: String,
}

/// A browser that is back.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Its visit, as it was before.
    pub visit: Visit,
    /// The connector.
    pub connector: String,
    /// The way that was chosen.
    pub way: String,
    /// Whether the account is connected now.
    pub result: Result<(), Rejected>,
}

impl Engine {
    pub(super) async fn send_out(
        &self,
        visit: &Visit,
        choice: &Choice<'_>,
        context: Map<String, Value>,
        cookie: Option<Secret>,
    ) -> Result<AuthorizationStarted, Rejected> {
        let carried = Carried {
            visit: visit.id(),
            secret: visit.secret().expose().to_owned(),
            way: choice.way.to_owned(),
        };
        let carried = serde_json::to_value(carried).map_err(Error::internal);
        let request = AuthorizationRequest {
            environment_id: visit.session.environment_id,
            connector: choice.connector.name.clone(),
            authentication_method: choice.way.to_owned(),
            context,
            scopes: visit.purpose.scopes.clone(),
            browser: cookie,
            carried: carried.map_err(|error| words::broken(&error))?,
        };
        let started = self.begin_authorization(request).await;
        started.map_err(|error| words::no_way_out(choice.connector, &error))
    }

    /// Takes in a browser that comes back from a vendor's page, saves what it was granted, and tries it. `address` is where
    /// it is, for the audit log.
    ///
    /// # Errors
    /// When it is not known which visit it is of: it was another browser, it was here before, or it took too long.
    pub async fn come_back(
        &self,
        answer: AuthorizationAnswer,
        address: Option<IpAddr>,
    ) -> Result<Returned, Rejected> {
        let connector = answer.connector.clone();
        let finished = self.finish_authorization(answer).await;
        let carried = match &finished {
            Ok(granted) => Some(granted.carried.clone()),
            Err(failed) => failed.carried.clone(),
        };
        let Some(carried) = carried else {
            return Err(finished.err().map_or_else(words::over, |failed| words::not_granted(&failed)));
        };
        let carried: Carried =
            serde_json::from_value(carried).map_err(|error| words::broken(&Error::internal(error)))?;
        let visit = self.visit(carried.visit, &carried.secret).await;
        let visit = visit.map_err(|error| words::broken(&error))?.ok_or_else(words::over)?;
        let visit = visit.coming_from(address);
        let result = match finished {
            Ok(granted) => self.take_in(&visit, granted).await,
            Err(failed) => Err(words::not_granted(&failed)),
        };
        Ok(Returned { visit, connector, way: carried.way, result })
    }

    async fn take_in(&self, visit: &Visit, granted: Granted) -> Result<(), Rejected> {
        let Granted { connector, authentication_method, context, grant, .. } = granted;
        let choice = self.choice(visit, &connector, &authentication_method).await;
        let choice = choice.map_err(|error| words::broken(&error))?;
        let rule = choice.kind.grant().ok_or_else(words::over)?;
        let content = grant.content(rule, &Value::Object(context.clone()));
        let content = content.map_err(|error| words::broken(&error))?;
        self.save_and_try(visit, &choice, context, GrantChange::Set(content)).await
    }
}
