//! The stages: reading the catalogue, planning, mapping, the whole call with and without its HTTP surface.

use std::hint::black_box;
use std::sync::Arc;

use koine_connector::catalogue::Catalogue;
use koine_connector::map::{MapInput, record};
use koine_connector::plan::{Ask, Next, Plan};
use koine_engine::{BaseUrls, Caller, Engine, EngineParts, NewAccount, Operation, UnifiedCall};
use koine_model::{Answer, Secret};
use koine_store::{MasterKey, Vault};
use serde_json::{Map, Value, json};

use crate::vendor::{OneUser, answer, user};

pub(crate) const NAMES: &[&str] = &["catalogue", "plan", "map", "call"];

/// The connector that everything is measured with, and the id of its user.
const CONNECTOR: &str = "okta";
const ID: &str = "00u1ada0000000000001";

pub(crate) async fn run(stage: &str, times: u32) -> Result<(), String> {
    match stage {
        "catalogue" => (0..times).try_for_each(|_| catalogue().map(|all| drop(black_box(all)))),
        "plan" => plan(times),
        "map" => map(times),
        "call" => call(times).await,
        _ => Err(format!("no stage `{stage}`; one of {}", NAMES.join(", "))),
    }
}

fn catalogue() -> Result<Catalogue, String> {
    Catalogue::embedded().map_err(|problems| problems.to_string())
}

/// From the question to the vendor's record.
fn plan(times: u32) -> Result<(), String> {
    let catalogue = catalogue()?;
    let connector = catalogue.connector(CONNECTOR).ok_or("no such connector")?;
    for _ in 0..times {
        let mut plan = Plan::new(Arc::clone(connector), ask(), 1_800_000_000)
            .map_err(|failure| format!("{failure:?}"))?;
        while let Next::Send(send) = plan.next() {
            black_box(send);
            plan.feed(Answer::Received(answer()));
        }
    }
    Ok(())
}

/// From the vendor's record to the unified one.
fn map(times: u32) -> Result<(), String> {
    let catalogue = catalogue()?;
    let connector = catalogue.connector(CONNECTOR).ok_or("no such connector")?;
    let model = catalogue.model("user-directory").ok_or("no such model")?;
    let (spec, resource) = (&model.resources["users"], &connector.models["user-directory"]["users"]);
    let vendor: Value = serde_json::from_slice(&user()).map_err(|error| error.to_string())?;
    for _ in 0..times {
        let unified = record(resource, &resource.methods["get"], spec, &vendor, MapInput::default());
        black_box(unified.map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// Account, plan, exchange, map and respond: all but HTTP.
async fn call(times: u32) -> Result<(), String> {
    let text = |error: koine_store::StoreError| error.to_string();
    let store =
        koine_store::open("sqlite::memory:", Vault::new(MasterKey::generate())).await.map_err(text)?;
    let environment = store.create_environment("bench").await.map_err(text)?;
    let engine = Engine::new(EngineParts {
        store,
        catalogue: Arc::new(catalogue()?),
        upstream: Arc::new(OneUser),
        base_urls: BaseUrls::default(),
        cursor_key: Secret::new("bench"),
        public_url: None,
    });
    let caller = Caller::operator(environment.id);
    let context =
        json!({"domain": "acme.okta.com", "api_token": "00Made-Up_For_The_Benchmark_No_Token_0000a"});
    let account = NewAccount {
        tenant_id: "acme".to_owned(),
        connector: CONNECTOR.to_owned(),
        authentication_method: None,
        context: context.as_object().cloned().unwrap_or_default(),
    };
    let account = engine.create_account(&caller, account).await.map_err(|error| error.message)?;
    for _ in 0..times {
        let reply = engine.unified(&caller, get(&account["id"])).await;
        black_box(reply.map_err(|error| error.message)?);
    }
    Ok(())
}

fn get(account: &Value) -> UnifiedCall {
    UnifiedCall {
        model: "user-directory".to_owned(),
        resource: "users".to_owned(),
        operation: Operation::Get,
        id: Some(ID.to_owned()),
        query: Map::from_iter([("integrated_account_id".to_owned(), account.clone())]),
        body: Map::new(),
        path: String::new(),
        idempotency_key: None,
        passthrough: None,
    }
}

fn ask() -> Ask {
    Ask {
        id: Some(ID.to_owned()),
        context: Map::from_iter([("domain".to_owned(), json!("acme.okta.com"))]).into(),
        ..Ask::new("user-directory", "users", "get")
    }
}
