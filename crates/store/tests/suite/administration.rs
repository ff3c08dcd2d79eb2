//! Changes that people make, and the log of them.

use std::sync::Arc;

use koine_store::{
    Account, AccountChange, Actor, AuditEntry, AuditFilter, NewAccountToken, NewEvent, NewToken, NewWebhook,
    Replay, Store, StoreError, WebhookChange,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::{CREDENTIAL, account, environment, new_account};

fn alice() -> Actor {
    Actor { name: "token:alice".to_owned(), source: "203.0.113.7".to_owned() }
}

/// No events.
fn untold(_: &Account) -> Vec<NewEvent> {
    Vec::new()
}

fn new_token(environment_id: Uuid) -> NewToken {
    NewToken {
        environment_id,
        name: "ci".to_owned(),
        account_ids: None,
        read_only: true,
        administrator: false,
        expires_at: None,
    }
}

/// Actions, newest first.
async fn actions(store: &Arc<dyn Store>, filter: AuditFilter) -> Vec<String> {
    let listed = store.list_audit(filter, 100, None).await.unwrap();
    listed.into_iter().map(|record| record.entry.action).collect()
}

pub(crate) async fn every_change_is_in_the_log(store: Arc<dyn Store>) {
    let by = alice();
    let home = store.create_environment_by("home", &by).await.unwrap();
    store.rename_environment(home.id, "house", &by).await.unwrap().unwrap();
    let (token, secret) = store.create_token_by(new_token(home.id), &by).await.unwrap();
    store.rename_token(Some(home.id), token.id, "cd", &by).await.unwrap().unwrap();
    assert!(store.revoke_token_by(Some(home.id), token.id, &by).await.unwrap());
    let account = store.create_account_by(new_account(&home), &by, &untold).await.unwrap();
    let change = AccountChange { context: Some(json!({"api_key": "new"})), ..AccountChange::default() };
    store.update_account_by(home.id, account.id, change, &by, &untold).await.unwrap().unwrap();
    assert!(store.delete_account_by(home.id, account.id, &by, &[]).await.unwrap());
    change_a_webhook(&store, home.id, &by).await;

    let listed = store.list_audit(AuditFilter::default(), 100, None).await.unwrap();
    let told: Vec<_> = listed.iter().rev().map(|record| record.entry.action.as_str()).collect();
    let expected = [
        "environment.create",
        "environment.rename",
        "token.create",
        "token.rename",
        "token.revoke",
        "account.create",
        "account.update",
        "account.delete",
        "webhook.create",
        "webhook.update",
        "webhook.replay",
        "webhook.delete",
    ];
    assert_eq!(told, expected);
    assert!(listed.iter().all(|record| record.entry.actor == by));
    assert!(listed.iter().all(|record| record.entry.environment_id == Some(home.id)));
    let entry = |action: &str| &listed.iter().find(|record| record.entry.action == action).unwrap().entry;
    assert_eq!(entry("environment.rename").before, Some(json!({"name": "home"})));
    assert_eq!(entry("environment.rename").after, Some(json!({"name": "house"})));
    assert_eq!(entry("token.create").after.as_ref().unwrap()["read_only"], true);
    let update = entry("account.update");
    assert_eq!(update.after.as_ref().unwrap()["context_changed"], json!(["api_key", "number"]));
    assert_eq!(entry("webhook.create").after.as_ref().unwrap()["target"], "https://receiver.example.com");
    assert_eq!(entry("webhook.update").after, Some(json!({"target_changed": true})));
    let text = format!("{listed:?}");
    assert!(!text.contains(CREDENTIAL) && !text.contains(&secret), "{text}");
}

/// Its address holds a secret.
async fn change_a_webhook(store: &Arc<dyn Store>, environment_id: Uuid, by: &Actor) {
    let target = |path: &str| format!("https://receiver.example.com/{path}{CREDENTIAL}");
    let new = NewWebhook { environment_id, target_url: target("a"), event_types: None, is_active: true };
    let (webhook, _) = store.create_webhook(new, by).await.unwrap();
    let change = WebhookChange { target_url: Some(target("b")), ..WebhookChange::default() };
    store.update_webhook(environment_id, webhook.id, change, by).await.unwrap().unwrap();
    let since = Replay::FailedSince("2020-01-01T00:00:00Z".to_owned());
    assert_eq!(store.replay_deliveries(environment_id, webhook.id, since, by).await.unwrap(), 0);
    assert!(store.delete_webhook(environment_id, webhook.id, by).await.unwrap());
}

pub(crate) async fn what_did_not_happen_is_not_in_the_log(store: Arc<dyn Store>) {
    let (home, by) = (environment(&store).await, alice());
    let elsewhere = environment(&store).await;
    let (token, _) = store.create_token(new_token(elsewhere.id)).await.unwrap();
    let before = store.list_audit(AuditFilter::default(), 100, None).await.unwrap();
    let taken = store.create_environment_by(&home.name, &by).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })));
    let taken = store.rename_environment(home.id, &elsewhere.name, &by).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })));
    assert_eq!(store.rename_environment(Uuid::nil(), "x", &by).await.unwrap(), None);
    assert_eq!(store.rename_token(Some(home.id), token.id, "mine", &by).await.unwrap(), None);
    assert!(!store.revoke_token_by(Some(home.id), token.id, &by).await.unwrap(), "another environment's");
    assert_eq!(store.get_token(Some(home.id), token.id).await.unwrap(), None);
    let change = AccountChange::default();
    assert_eq!(store.update_account_by(home.id, Uuid::nil(), change, &by, &untold).await.unwrap(), None);
    assert!(!store.delete_account_by(home.id, Uuid::nil(), &by, &[]).await.unwrap());
    assert_eq!(
        store.update_webhook(home.id, Uuid::nil(), WebhookChange::default(), &by).await.unwrap(),
        None
    );
    assert!(!store.delete_webhook(home.id, Uuid::nil(), &by).await.unwrap());
    assert_eq!(store.list_audit(AuditFilter::default(), 100, None).await.unwrap(), before);
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
}

pub(crate) async fn the_log_is_filtered_and_paged(store: Arc<dyn Store>) {
    let (home, elsewhere) = (Uuid::from_u128(7), Uuid::from_u128(8));
    for (action, environment) in
        [("token.create", home), ("token.revoke", elsewhere), ("tokens.count", home), ("key.rotate", home)]
    {
        let by = if action == "key.rotate" { Actor::operator() } else { alice() };
        store.audit(AuditEntry::new(&by, Some(environment), action, &"it")).await.unwrap();
    }
    let with = |change: fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        change(&mut filter);
        actions(&store, filter)
    };
    assert_eq!(
        with(|filter| filter.action = Some("token".to_owned())).await,
        ["token.revoke", "token.create"]
    );
    assert_eq!(with(|filter| filter.action = Some("key.rotate".to_owned())).await, ["key.rotate"]);
    assert_eq!(with(|filter| filter.actor = Some("operator".to_owned())).await, ["key.rotate"]);
    assert_eq!(with(|filter| filter.environment_id = Some(Uuid::from_u128(8))).await, ["token.revoke"]);
    assert_eq!(with(|filter| filter.subject = Some("that".to_owned())).await, [""; 0]);
    assert_eq!(with(|filter| filter.since = Some("2999-01-01T00:00:00Z".to_owned())).await, [""; 0]);
    assert_eq!(with(|filter| filter.until = Some("2999-01-01T00:00:00Z".to_owned())).await.len(), 4);
    let bad = AuditFilter { since: Some("today".to_owned()), ..AuditFilter::default() };
    assert!(matches!(store.list_audit(bad, 1, None).await, Err(StoreError::Invalid { .. })));

    let first = store.list_audit(AuditFilter::default(), 3, None).await.unwrap();
    let rest = store.list_audit(AuditFilter::default(), 3, Some(first[2].seq)).await.unwrap();
    assert_eq!((first.len(), rest.len(), rest[0].seq), (3, 1, first[2].seq - 1));
}

pub(crate) async fn appending_at_once_keeps_the_chain(store: Arc<dyn Store>) {
    let mut tasks = Vec::new();
    for number in 0..20 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            store.audit(AuditEntry::new(&alice(), None, "test.append", &number)).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let check = store.verify_audit(None).await.unwrap();
    assert_eq!((check.entries, check.broken), (20, None));
    store.audit(AuditEntry::new(&alice(), None, "test.append", &20)).await.unwrap();
    let later = store.verify_audit(Some(check.head)).await.unwrap();
    assert_eq!((later.entries, later.broken), (21, None));
    let other = store.verify_audit(Some(format!("21:{}", "00".repeat(32)))).await.unwrap();
    assert!(other.broken.unwrap().contains("entry 21"));
    let more = store.verify_audit(Some("22:00".to_owned())).await.unwrap();
    assert!(more.broken.unwrap().contains("ends with entry 21"));
}

pub(crate) async fn account_tokens_end_with_their_issuer(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let account = account(&store, &home).await;
    let (issuer, _) = store.create_token(new_token(home.id)).await.unwrap();
    let new = |expires_at: &str| NewAccountToken {
        environment_id: home.id,
        account_id: account.id,
        issued_by: Some(issuer.id),
        read_only: false,
        expires_at: expires_at.to_owned(),
    };
    let (token, secret) = store.issue_account_token(new("2999-01-01T00:00:00Z")).await.unwrap();
    assert_eq!((token.own_account_id, token.account_ids.clone()), (Some(account.id), Some(vec![account.id])));
    assert_eq!(store.find_token(&secret).await.unwrap(), Some(token.clone()));
    assert_eq!(store.list_tokens(None).await.unwrap(), std::slice::from_ref(&issuer), "not in lists");
    assert_eq!(store.get_token(None, token.id).await.unwrap(), None);
    let (_, expired) = store.issue_account_token(new("2020-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(store.find_token(&expired).await.unwrap(), None);
    store.revoke_token(issuer.id).await.unwrap();
    assert_eq!(store.find_token(&secret).await.unwrap(), None);
    let nobodys = NewAccountToken { account_id: Uuid::nil(), ..new("2999-01-01T00:00:00Z") };
    assert!(matches!(store.issue_account_token(nobodys).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn uses_are_noted(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (token, secret) = store.create_token(new_token(home.id)).await.unwrap();
    store.note_token_use(token.id).await.unwrap();
    let first = store.get_token(None, token.id).await.unwrap().unwrap().last_used_at.unwrap();
    assert!(first >= token.created_at, "{first}");
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    store.note_token_use(token.id).await.unwrap();
    let found = store.find_token(&secret).await.unwrap().unwrap();
    assert_eq!(found.last_used_at, Some(first), "not more than once a minute");
}

pub(crate) async fn installation_keys_stay(store: Arc<dyn Store>) {
    let names = ["cursors", "audit", "cursors"];
    let mut keys = Vec::new();
    for name in names {
        keys.push(store.installation_key(name).await.unwrap());
    }
    assert_eq!(keys[0], keys[2]);
    assert_ne!(keys[0], keys[1]);
    let state: Vec<Value> = keys.iter().map(|key| json!(key.len())).collect();
    assert_eq!(state, [json!(44), json!(44), json!(44)], "256 bits in base64");
}
