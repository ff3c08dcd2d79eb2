//! OAuth apps, consents under way, and grants.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{AccountChange, NewAuthorization, NewOauthApp, Store};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::fixtures::{self, CREDENTIAL, Home};

fn app(environment_id: Uuid, client_id: &str) -> NewOauthApp {
    NewOauthApp {
        environment_id,
        connector: "okta".to_owned(),
        client_id: client_id.to_owned(),
        client_secret: Some(CREDENTIAL.to_owned()),
        fields: Map::from_iter([("realm".to_owned(), json!("r"))]),
    }
}

fn consent(environment_id: Uuid, state: &str, lifetime: Duration) -> NewAuthorization {
    NewAuthorization {
        environment_id,
        connector: "okta".to_owned(),
        state: state.to_owned(),
        browser: "browser".to_owned(),
        content: json!({"verifier": CREDENTIAL}),
        lifetime,
    }
}

pub(crate) async fn an_environment_has_one_app_for_a_connector(store: Arc<dyn Store>) {
    let here = fixtures::environment(&store).await.id;
    let there = store.create_environment("there").await.unwrap().id;
    let first = store.set_oauth_app(app(here, "one")).await.unwrap();
    let second = store.set_oauth_app(app(here, "two")).await.unwrap();
    assert_eq!((first.id, first.created_at), (second.id, second.created_at.clone()));
    let found = store.find_oauth_app(here, "okta").await.unwrap().unwrap();
    assert_eq!(found, second);
    assert_eq!((found.client_id.as_str(), found.client_secret.as_deref()), ("two", Some(CREDENTIAL)));
    assert_eq!(found.fields["realm"], "r");
    assert_eq!(store.find_oauth_app(there, "okta").await.unwrap(), None);
    assert_eq!(store.list_oauth_apps(here).await.unwrap(), [found]);
    assert!(!store.remove_oauth_app(there, "okta").await.unwrap(), "another environment's");
    assert!(store.remove_oauth_app(here, "okta").await.unwrap());
    assert_eq!(store.list_oauth_apps(here).await.unwrap(), []);
    assert!(store.set_oauth_app(app(Uuid::now_v7(), "one")).await.is_err(), "no such environment");
}

pub(crate) async fn a_consent_is_taken_once_by_its_browser(store: Arc<dyn Store>) {
    let here = fixtures::environment(&store).await.id;
    store.begin_authorization(consent(here, "state", Duration::from_secs(60))).await.unwrap();
    for (connector, state, browser) in
        [("okta", "state", "another"), ("okta", "another", "browser"), ("box", "state", "browser")]
    {
        assert_eq!(store.take_authorization(connector, state, browser).await.unwrap(), None);
    }
    let taken = store.take_authorization("okta", "state", "browser").await.unwrap().unwrap();
    assert_eq!((taken.environment_id, &taken.content["verifier"]), (here, &json!(CREDENTIAL)));
    assert_eq!(store.take_authorization("okta", "state", "browser").await.unwrap(), None, "once");
}

pub(crate) async fn a_consent_has_its_time(store: Arc<dyn Store>) {
    let here = fixtures::environment(&store).await.id;
    store.begin_authorization(consent(here, "late", Duration::ZERO)).await.unwrap();
    assert_eq!(store.take_authorization("okta", "late", "browser").await.unwrap(), None);
    store.begin_authorization(consent(here, "next", Duration::from_secs(60))).await.unwrap();
    assert!(store.take_authorization("okta", "next", "browser").await.unwrap().is_some());
}

pub(crate) async fn late_consents_are_dropped(home: &Home) {
    let store = home.open().await;
    let here = fixtures::environment(&store).await.id;
    store.begin_authorization(consent(here, "good", Duration::from_secs(60))).await.unwrap();
    store.begin_authorization(consent(here, "late", Duration::ZERO)).await.unwrap();
    store.tidy().await.unwrap();
    home.run("UPDATE authorizations SET expires_at = '2999-01-01T00:00:00.000Z'").await;
    assert_eq!(store.take_authorization("okta", "late", "browser").await.unwrap(), None, "it is gone");
    assert!(store.take_authorization("okta", "good", "browser").await.unwrap().is_some());
}

pub(crate) async fn a_grant_is_replaced_by_who_knows_it(store: Arc<dyn Store>) {
    let environment = fixtures::environment(&store).await;
    let here = environment.id;
    let there = store.create_environment("there").await.unwrap().id;
    let account = fixtures::account(&store, &environment).await.id;
    assert_eq!(store.find_grant(here, account).await.unwrap(), None);
    let token = |text: &str| json!({"access_token": text});
    assert!(store.replace_grant(here, account, None, &token("a")).await.unwrap());
    assert!(!store.replace_grant(here, account, None, &token("x")).await.unwrap(), "there is one");
    let first = store.find_grant(here, account).await.unwrap().unwrap();
    assert_eq!(first.content, token("a"));
    assert!(store.replace_grant(here, account, Some(first.version), &token("b")).await.unwrap());
    assert!(
        !store.replace_grant(here, account, Some(first.version), &token("x")).await.unwrap(),
        "it is old"
    );
    assert!(store.set_grant(here, account, &token("c")).await.unwrap());
    assert_eq!(store.find_grant(here, account).await.unwrap().unwrap().content, token("c"));
    assert!(!store.set_grant(there, account, &token("x")).await.unwrap(), "another environment's account");
    assert_eq!(store.find_grant(there, account).await.unwrap(), None);
    assert!(store.delete_account(here, account).await.unwrap());
    assert_eq!(store.find_grant(here, account).await.unwrap(), None, "it goes with its account");
    assert!(!store.set_grant(here, account, &token("x")).await.unwrap(), "the account is gone");
}

pub(crate) async fn debug_hides_what_oauth_keeps(store: Arc<dyn Store>) {
    let environment = fixtures::environment(&store).await;
    let here = environment.id;
    let account = fixtures::account(&store, &environment).await.id;
    let app = store.set_oauth_app(app(here, "one")).await.unwrap();
    store.begin_authorization(consent(here, "state", Duration::from_secs(60))).await.unwrap();
    let taken = store.take_authorization("okta", "state", "browser").await.unwrap();
    store.set_grant(here, account, &json!({"access_token": CREDENTIAL})).await.unwrap();
    let grant = store.find_grant(here, account).await.unwrap();
    let new = consent(here, CREDENTIAL, Duration::ZERO);
    let text = format!("{app:?} {taken:?} {grant:?} {new:?}");
    assert!(!text.contains(CREDENTIAL), "{text}");
}

pub(crate) async fn an_account_changes_only_from_the_status_it_was_seen_in(store: Arc<dyn Store>) {
    let environment = fixtures::environment(&store).await;
    let here = environment.id;
    let account = fixtures::account(&store, &environment).await.id;
    let change = |from: &str, to: &str| AccountChange {
        status: Some(to.to_owned()),
        only_from: Some(from.to_owned()),
        ..AccountChange::default()
    };
    let changed = store.update_account(here, account, change("active", "needs_reauth")).await.unwrap();
    assert_eq!(changed.unwrap().status, "needs_reauth");
    assert_eq!(store.update_account(here, account, change("active", "needs_reauth")).await.unwrap(), None);
    assert_eq!(store.get_account(here, account).await.unwrap().unwrap().status, "needs_reauth");
}
