//! An installation as a file: from SQLite to PostgreSQL and back, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{
    Actor, Attempt, AuditEntry, AuditFilter, Begun, DeliveryFilter, ExportKey, MasterKey, NewCall, NewEvent,
    NewToken, NewWebhook, Next, Store, StoreError, Verdict,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::{CREDENTIAL, Home, account, answer, contains, environment, exchange, finish, removal};

/// An installation with something in every table.
async fn fill(store: &Arc<dyn Store>) -> (NewCall, String) {
    let mut kept = None;
    for _ in 0..2 {
        let home = environment(store).await;
        for _ in 0..210 {
            account(store, &home).await;
        }
        let account = account(store, &home).await;
        let (name, expires_at) = ("ci".to_owned(), Some("2999-01-01T00:00:00Z".to_owned()));
        let account_ids = Some(vec![account.id]);
        let token = NewToken {
            environment_id: home.id,
            name,
            account_ids,
            read_only: true,
            administrator: false,
            expires_at,
        };
        let (token, secret) = store.create_token(token).await.unwrap();
        let call = NewCall { token_id: Some(token.id), ..removal(home.id, account.id, Some("done")) };
        store.begin_call(call.clone()).await.unwrap();
        store.record_intent(call.id, "delete", "d", Some(&json!({"name": "Ada"}))).await.unwrap();
        store.record_exchange(call.id, exchange(1, Some(204))).await.unwrap();
        store.record_exchange(call.id, exchange(2, None)).await.unwrap();
        store.finish_call(call.id, finish("removed", Some(answer()))).await.unwrap();
        let open = removal(home.id, account.id, Some("open"));
        store.begin_call(open.clone()).await.unwrap();
        store.record_intent(open.id, "delete", "d", Some(&json!({"name": "Ida"}))).await.unwrap();
        let entry = AuditEntry {
            after: Some(json!({"a": null})),
            ..AuditEntry::new(&Actor::operator(), Some(home.id), "key.rotate", &token.id)
        };
        store.audit(entry).await.unwrap();
        hear(store, home.id).await;
        kept = Some((call, secret));
    }
    kept.unwrap()
}

/// A webhook with one delivery made and another queued.
async fn hear(store: &Arc<dyn Store>, environment_id: Uuid) {
    let target_url = format!("https://receiver.example.com/{CREDENTIAL}");
    let new = NewWebhook { environment_id, target_url, event_types: None, is_active: true };
    let (webhook, _) = store.create_webhook(new, &Actor::operator()).await.unwrap();
    let test = || NewEvent { environment_id, event: "test".to_owned(), payload: json!({"foo": "bar"}) };
    let due = store.single_delivery(webhook.id, test()).await.unwrap().unwrap();
    let attempt =
        Attempt { http_status: Some(200), error: None, duration_ms: 7, answer: Some(CREDENTIAL.to_owned()) };
    let verdict = Verdict { next: Next::Done, rest: Duration::ZERO, patience: Duration::ZERO };
    store.finish_attempt(&due, attempt, verdict).await.unwrap();
    store.record_event(test()).await.unwrap();
}

/// All that can be asked of it, in words.
async fn told(store: &Arc<dyn Store>) -> Value {
    let mut all = Vec::new();
    let environments = store.list_environments().await.unwrap();
    for home in &environments {
        let accounts = store.list_accounts(home.id, koine_store::AccountFilter::default(), 1000, None).await;
        let contexts: Vec<_> =
            accounts.unwrap().into_iter().map(|one| (format!("{one:?}"), one.context)).collect();
        assert_eq!(contexts.len(), 211);
        let webhooks = store.list_webhooks(home.id, None, 100, None).await.unwrap();
        let webhooks: Vec<_> = webhooks.into_iter().map(|one| (format!("{one:?}"), one.target_url)).collect();
        let deliveries = store.list_deliveries(home.id, DeliveryFilter::default(), 100, None).await.unwrap();
        assert_eq!((webhooks.len(), deliveries.len()), (1, 2));
        all.push(json!({
            "webhooks": webhooks, "deliveries": format!("{deliveries:?}"),
            "environment": format!("{home:?}"), "accounts": contexts,
            "tokens": format!("{:?}", store.list_tokens(Some(home.id)).await.unwrap()),
            "calls": format!("{:?}", store.list_calls(home.id, 100).await.unwrap()),
        }));
    }
    let open = store.open_intents().await.unwrap().into_iter();
    let open: Vec<_> = open.map(|one| (format!("{one:?}"), one.request, one.target)).collect();
    json!({"environments": all, "open": open, "audit": format!("{:?}", store.list_audit(AuditFilter::default(), 100, None).await.unwrap())})
}

async fn exported(store: &Arc<dyn Store>, key: &ExportKey) -> Vec<u8> {
    let mut file = Vec::new();
    store.export(key, &mut file).await.unwrap();
    assert!(!contains(&file, CREDENTIAL) && !contains(&file, "acme"), "the file shows nothing");
    file
}

async fn import(store: &Arc<dyn Store>, key: &ExportKey, file: &[u8]) -> Result<(), StoreError> {
    let mut file = file;
    store.import(key, &mut file).await
}

/// From one database to `through`, which has another master key, and to a third: everything is as it was.
pub(crate) async fn an_installation_moves_and_comes_back(through: &Home) {
    let (first, last) = (Home::file().unwrap(), Home::file().unwrap());
    let first = first.open().await;
    let (call, secret) = fill(&first).await;
    let before = told(&first).await;
    let phrase = ExportKey::passphrase("a passphrase for the move").unwrap();
    let mut store = first;
    for next in [through, &last] {
        let file = exported(&store, &phrase).await;
        store = next.open().await;
        import(&store, &phrase, &file).await.unwrap();
        assert_eq!(told(&store).await, before);
        assert!(store.find_token(&secret).await.unwrap().is_some());
        let again = NewCall { id: Uuid::now_v7(), ..call.clone() };
        assert_eq!(store.begin_call(again).await.unwrap(), Begun::Replayed(answer()));
        let refused = import(&store, &phrase, &file).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "it is not empty: {refused:?}");
    }
    let due = store.claim_deliveries(10, Duration::from_secs(60)).await.unwrap();
    assert!(due.len() == 2 && due.iter().all(|due| due.payload == json!({"foo": "bar"})), "{due:?}");
    assert!(due.iter().all(|due| Uuid::try_parse(&due.secret).is_ok()), "their signing secrets moved along");
}

pub(crate) async fn what_is_wrong_with_a_file_is_told_and_nothing_of_it_is_kept(home: &Home) {
    let source = home.open().await;
    fill(&source).await;
    let file = exported(&source, &ExportKey::Master).await;
    let target = Home::file().unwrap();
    let other = target.open().await;
    assert!(matches!(import(&other, &ExportKey::Master, &file).await, Err(StoreError::ExportKey)));
    let phrase = ExportKey::passphrase("a passphrase for the move").unwrap();
    let file = exported(&source, &phrase).await;
    let wrong = ExportKey::passphrase("another passphrase altogether").unwrap();
    assert!(matches!(import(&other, &wrong, &file).await, Err(StoreError::ExportKey)));
    let cut = import(&other, &phrase, &file[..file.len() - 1]).await.unwrap_err();
    assert!(cut.to_string().contains("not whole"), "{cut}");
    let mut altered = file.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    assert!(matches!(import(&other, &phrase, &altered).await, Err(StoreError::Corrupt { .. })));
    let none = import(&other, &phrase, b"not an export").await.unwrap_err();
    assert!(none.to_string().contains("no export"), "{none}");
    assert_eq!(other.list_environments().await.unwrap(), [], "all or nothing");
    import(&other, &phrase, &file).await.unwrap();
    assert_eq!(told(&other).await, told(&source).await);
}

/// Whoever adds a table decides here whether it moves.
pub(crate) async fn every_table_is_exported_or_stays_on_purpose(home: &Home) {
    let store = home.open().await;
    let file = exported(&store, &ExportKey::Master).await;
    assert!(!file.is_empty());
    let stay = ["_sqlx_migrations", "authorizations", "call_locks", "leases", "link_sessions", "vault_check"];
    let mut tables = home.tables().await;
    tables.retain(|table| !stay.contains(&table.as_str()) && !table.starts_with("sqlite_"));
    let mut exported: Vec<_> = koine_store::EXPORTED_TABLES.iter().map(|table| (*table).to_owned()).collect();
    exported.sort_unstable();
    assert_eq!(tables, exported);
}

/// Looking changes nothing; migrating applies all; a schema from the future is shown.
#[tokio::test]
async fn migrations_are_told_before_and_after() {
    for home in [Home::file(), Home::postgres()].into_iter().flatten() {
        let pending = koine_store::migrations(home.url()).await.unwrap();
        assert!(pending.len() > 2 && pending.iter().all(|one| !one.applied && one.sql.is_some()));
        assert_eq!(koine_store::migrations(home.url()).await.unwrap(), pending, "looking applies nothing");
        koine_store::migrate(home.url()).await.unwrap();
        koine_store::migrate(home.url()).await.unwrap();
        let applied = koine_store::migrations(home.url()).await.unwrap();
        assert!(applied.iter().all(|one| one.applied) && applied.len() == pending.len());
        home.become_newer().await;
        let newest = koine_store::migrations(home.url()).await.unwrap().pop().unwrap();
        assert_eq!((newest.version, newest.name, newest.applied), (9999, None, true));
        let refused = koine_store::migrate(home.url()).await.unwrap_err();
        assert!(matches!(refused, StoreError::NewerSchema { found: 9999, .. }), "{refused:?}");
        let refused = home.open_with(MasterKey::generate()).await.err().unwrap();
        assert!(refused.to_string().contains("run the koine that migrated it"), "{refused}");
    }
}
