//! The connector against its sandbox: the calls of its fixtures are made once more, on the people that live there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use koine_connector::catalogue::{Catalogue, Files};
use koine_engine::{
    BaseUrls, Caller, Engine, EngineParts, NewAccount, Operation, Outgoing, ReplyBody, UnifiedCall,
};
use koine_fixtures::Call;
use koine_model::{Answer, Credentials, Request, Secret};
use koine_sandbox::{Sandbox, Serving, StandIn};
use koine_store::{MasterKey, Vault};
use koine_upstream::{Hosts, Login, Settings, Token, TokenError, Upstream};
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::calls::{Planned, Residents};
use crate::check::{Seen, Source};

/// Enough for everybody's state, few enough to be quick.
const PEOPLE: usize = 12;

/// Everything that passes between the connector and its sandbox; nothing when it has none.
pub(crate) async fn exchanges(
    catalogue: &Arc<Catalogue>,
    connector: &str,
    files: &Files,
    planned: &Planned,
) -> Result<Vec<Seen>, String> {
    let own = format!("{connector}/");
    if !files.contains_key(&format!("{own}sandbox.yaml")) {
        return Ok(Vec::new());
    }
    let files = files.iter().filter(|(file, _)| file.starts_with(&own) || file.starts_with("_shared/"));
    let files = files.map(|(file, text)| (file.clone(), text.clone())).collect();
    let sandbox = Sandbox::with_people(&files, 1, PEOPLE).map_err(|problems| problems.to_string())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    let serving = sandbox.serve(listener).map_err(|error| error.to_string())?;
    let mut stage = Stage::new(catalogue, connector, serving).await?;
    stage.play(planned).await;
    Ok(stage.way_out.seen(connector))
}

/// Where the vendor is: its own address, and others such as that of its token endpoint.
fn base_urls(vendor: &StandIn) -> Result<BaseUrls, String> {
    let parsed =
        |(key, url): (String, String)| Ok((key, url.parse().map_err(|error| format!("{url}: {error}"))?));
    let all: Result<BTreeMap<_, _>, String> = vendor.base_urls().into_iter().map(parsed).collect();
    BaseUrls::new(all?)
}

/// An engine with accounts at the sandbox.
struct Stage {
    engine: Engine,
    caller: Caller,
    vendor: StandIn,
    /// What an account chooses -> its id.
    accounts: BTreeMap<String, Value>,
    /// An account with secrets that are not its own.
    stranger: Option<Value>,
    way_out: Arc<WayOut>,
    _serving: Serving,
}

impl Stage {
    async fn new(catalogue: &Arc<Catalogue>, connector: &str, serving: Serving) -> Result<Self, String> {
        let vendor = serving.stand_ins().iter().find(|vendor| vendor.name == connector);
        let vendor = vendor.ok_or("the sandbox has no such vendor")?.clone();
        let way_out = Arc::new(WayOut::new(&vendor)?);
        let vault = Vault::new(MasterKey::generate());
        let store = koine_store::open("sqlite::memory:", vault).await.map_err(|error| error.to_string())?;
        let environment = store.create_environment("verify").await.map_err(|error| error.to_string())?;
        let engine = Engine::new(EngineParts {
            store,
            catalogue: Arc::clone(catalogue),
            upstream: way_out.clone(),
            base_urls: base_urls(&vendor)?,
            cursor_key: Secret::new("verify"),
            public_url: None,
        });
        let caller = Caller::operator(environment.id);
        let accounts = BTreeMap::new();
        let mut stage = Self { engine, caller, vendor, accounts, stranger: None, way_out, _serving: serving };
        let own = stage.vendor.context.clone();
        let wrong = secrets_replaced(catalogue, connector, own.clone());
        stage.stranger = stage.connected(wrong).await.ok();
        let account = stage.connected(own).await?;
        stage.accounts.insert(Value::Object(Map::new()).to_string(), account);
        Ok(stage)
    }

    /// The id of an account with these credential fields.
    async fn connected(&self, context: Map<String, Value>) -> Result<Value, String> {
        let new = NewAccount {
            tenant_id: "verify".to_owned(),
            connector: self.vendor.name.clone(),
            authentication_method: None,
            context,
        };
        let account = self.engine.create_account(&self.caller, new).await;
        account.map(|account| account["id"].clone()).map_err(|error| error.message)
    }

    /// The account that the call is made with: that of the sandbox, with what the call's fixture chooses.
    async fn account(&mut self, call: &Call) -> Option<Value> {
        let key = Value::Object(call.context.clone()).to_string();
        if !self.accounts.contains_key(&key) {
            let mut context = self.vendor.context.clone();
            context.extend(call.context.clone());
            let account = self.connected(context).await.ok()?;
            self.accounts.insert(key.clone(), account);
        }
        self.accounts.get(&key).cloned()
    }

    async fn play(&mut self, planned: &Planned) {
        let mut residents = Residents::default();
        // a list may need the ids that another one gives, so they are asked twice
        for call in planned.lists.iter().chain(&planned.lists) {
            let (call, name) = (residents.inhabit(call, 0, 0), name(call));
            if let Some(body) = self.call(&call, &name).await {
                residents.learn(&call, &body);
            }
        }
        for call in &planned.reads {
            self.call(&residents.inhabit(call, 0, 0), &name(call)).await;
        }
        if let (Some(stranger), Some(call)) = (self.stranger.clone(), planned.lists.first()) {
            let name = format!("{} with wrong credentials", name(call));
            self.call_as(stranger, &residents.inhabit(call, 0, 0), &name).await;
        }
        for call in &planned.unknown {
            let name = format!("{} of nobody", name(call));
            self.call(&residents.but_its_id(call), &name).await;
        }
        for call in &planned.writes {
            for (first, second) in (1..6).flat_map(|user| [(user, 0), (user, 1), (user, 2)]) {
                let inhabited = residents.inhabit(call, first, second);
                if self.call(&inhabited, &name(call)).await.is_some() {
                    break;
                }
            }
        }
    }

    /// The body of a success.
    async fn call(&mut self, call: &Call, name: &str) -> Option<Value> {
        let account = self.account(call).await?;
        self.call_as(account, call, name).await
    }

    async fn call_as(&self, account: Value, call: &Call, name: &str) -> Option<Value> {
        self.way_out.name(name);
        let mut query = call.query.clone();
        query.insert("integrated_account_id".to_owned(), account);
        let unified = UnifiedCall {
            model: call.model.clone(),
            resource: call.resource.clone(),
            operation: Operation::named(&call.method),
            id: call.id.clone(),
            query,
            body: call.body.clone(),
            path: format!("/unified/{}/{}", call.model, call.resource),
            idempotency_key: None,
            passthrough: None,
        };
        match self.engine.unified(&self.caller, unified).await.ok()?.body {
            ReplyBody::Json(body) => Some(body),
            ReplyBody::Vendor { .. } => Some(Value::Null),
        }
    }
}

fn name(call: &Call) -> String {
    format!("{}.{}", call.resource, call.method)
}

fn secrets_replaced(
    catalogue: &Catalogue,
    connector: &str,
    mut context: Map<String, Value>,
) -> Map<String, Value> {
    let kinds =
        catalogue.connector(connector).into_iter().flat_map(|connector| connector.credentials.values());
    let secret: Vec<_> =
        kinds.flat_map(|kind| &kind.fields).filter(|(_, field)| field.secret).map(|(name, _)| name).collect();
    for (_, value) in context.iter_mut().filter(|(name, _)| secret.contains(name)) {
        *value = Value::from("not-the-secret");
    }
    context
}

/// Sends for real, to the loopback address only, and keeps what passed.
struct WayOut {
    upstream: Upstream,
    /// What the sandbox puts before the vendor's own paths.
    prefix: String,
    /// Where the vendor answers besides its base URL: logins go there, and specifications seldom name them.
    elsewhere: Vec<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    call: String,
    seen: Vec<(String, Request, Option<koine_model::Response>, bool)>,
}

impl WayOut {
    fn new(vendor: &StandIn) -> Result<Self, String> {
        let loopback = "127.0.0.0/8".parse().expect("a range");
        let settings = Settings { allow: vec![loopback], ..Settings::default() };
        let upstream = Upstream::new(settings).map_err(|error| error.to_string())?;
        let elsewhere = vendor.elsewhere.iter().map(|(_, url)| url.clone()).collect();
        Ok(Self { upstream, prefix: format!("/{}", vendor.name), elsewhere, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What follows belongs to this call.
    fn name(&self, call: &str) {
        call.clone_into(&mut self.state().call);
    }

    fn seen(&self, connector: &str) -> Vec<Seen> {
        let seen = self.state().seen.clone();
        let each = |(call, request, answer, is_login)| Seen {
            source: Source::Sandbox { connector: connector.to_owned(), call },
            request,
            answer,
            tells_error: false,
            is_login,
        };
        seen.into_iter().map(each).collect()
    }
}

#[async_trait]
impl Outgoing for WayOut {
    async fn send(&self, request: &Request, credentials: &Credentials, hosts: &Hosts) -> Answer {
        let answer = self.upstream.send(request, credentials, hosts).await;
        let is_login = self.elsewhere.iter().any(|url| request.url.as_str().starts_with(url));
        let mut request = request.clone();
        let path = request.url.path().strip_prefix(&self.prefix).unwrap_or(request.url.path()).to_owned();
        request.url.set_path(&path);
        let received = match &answer {
            Answer::Received(response) => Some(response.clone()),
            _ => None,
        };
        let mut state = self.state();
        let call = state.call.clone();
        state.seen.push((call, request, received, is_login));
        answer
    }

    async fn token(&self, key: &str, login: &dyn Login, hosts: &Hosts) -> Result<Token, TokenError> {
        self.upstream.token(key, login, hosts).await
    }

    fn forget_token(&self, key: &str, token: &Secret) {
        self.upstream.forget_token(key, token);
    }

    async fn pause(&self, _: Duration) {}
}
