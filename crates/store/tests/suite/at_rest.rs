//! What the database shows to somebody who has it, and what becomes of their changes.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{
    Account, Actor, Attempt, Begun, Environment, GrantChange, LinkAnnounce, Linked, LinkedAccount, NewCall,
    NewEvent, NewLinkToken, NewToken, NewWebhook, Next, Store, StoreError, Verdict,
};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{CREDENTIAL, Home, account, answer, contains, environment, finish, removal};

async fn with_account(home: &Home) -> (Arc<dyn Store>, Environment, Account) {
    let store = home.open().await;
    let environment = environment(&store).await;
    let account = account(&store, &environment).await;
    (store, environment, account)
}

pub(crate) async fn secrets_are_not_readable(home: &Home) {
    let (store, environment, account) = with_account(home).await;
    let call = removal(environment.id, account.id, Some("key"));
    store.begin_call(call.clone()).await.unwrap();
    store.record_intent(call.id, "delete", "d", Some(&json!({ "note": CREDENTIAL }))).await.unwrap();
    store.finish_call(call.id, finish("removed", Some(answer()))).await.unwrap();
    let token = NewToken {
        environment_id: environment.id,
        name: "the name of a token".to_owned(),
        account_ids: None,
        read_only: false,
        administrator: false,
        expires_at: None,
    };
    let (_, secret) = store.create_token(token).await.unwrap();
    let target_url = format!("https://receiver.example.com/{CREDENTIAL}");
    let webhook =
        NewWebhook { environment_id: environment.id, target_url, event_types: None, is_active: true };
    let (_, signing) = store.create_webhook(webhook, &Actor::operator()).await.unwrap();
    let payload = json!({ "note": CREDENTIAL });
    let event = NewEvent { environment_id: environment.id, event: "test".to_owned(), payload };
    store.record_event(event).await.unwrap();
    let due = store.claim_deliveries(1, Duration::from_secs(60)).await.unwrap().remove(0);
    let said = Some(CREDENTIAL.to_owned());
    let attempt = Attempt { http_status: Some(500), error: None, duration_ms: 1, answer: said };
    let verdict = Verdict { next: Next::GiveUp, rest: Duration::ZERO, patience: Duration::ZERO };
    store.finish_attempt(&due, attempt, verdict).await.unwrap();
    let before = home.bytes();
    store.close().await;
    for bytes in [before, home.bytes()] {
        assert!(!contains(&bytes, &signing));
        assert!(contains(&bytes, "the name of a token") && contains(&bytes, "acme"), "the rows are there");
        assert!(!contains(&bytes, CREDENTIAL));
        assert!(!contains(&bytes, &secret) && !contains(&bytes, &secret["koine_".len()..]));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::file().unwrap();
    let _store = home.open().await;
    let path = home.url().strip_prefix("sqlite://").unwrap();
    for suffix in ["", "-wal"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

pub(crate) async fn tampered_contexts_are_corrupt(home: &Home) {
    let (store, environment, account) = with_account(home).await;
    let sealed = home.sealed_context().await;
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    for bytes in [altered, sealed[..10].to_vec(), Vec::new()] {
        home.run(&format!("UPDATE accounts SET context_sealed = {}", home.literal(&bytes))).await;
        let read = store.get_account(environment.id, account.id).await;
        assert!(matches!(read, Err(StoreError::Corrupt { what }) if what.contains(&account.id.to_string())));
    }
}

pub(crate) async fn swapped_contexts_are_corrupt(home: &Home) {
    let (store, environment, first) = with_account(home).await;
    let second = account(&store, &environment).await;
    let swap =
        "UPDATE accounts SET context_sealed = other.context_sealed FROM (SELECT * FROM accounts) AS other
                WHERE other.id <> accounts.id";
    home.run(swap).await;
    for account in [first, second] {
        let read = store.get_account(environment.id, account.id).await;
        assert!(matches!(read, Err(StoreError::Corrupt { .. })));
    }
}

pub(crate) async fn accounts_moved_to_another_environment_are_corrupt(home: &Home) {
    let (store, _, account) = with_account(home).await;
    let thief = environment(&store).await;
    home.run(&format!("UPDATE accounts SET environment_id = '{}'", thief.id)).await;
    assert!(matches!(store.get_account(thief.id, account.id).await, Err(StoreError::Corrupt { .. })));
}

pub(crate) async fn swapped_data_keys_are_corrupt(home: &Home) {
    let (store, one, account) = with_account(home).await;
    let _two = environment(&store).await;
    store.close().await;
    let swap = "UPDATE environments SET data_key_sealed = other.data_key_sealed FROM (SELECT * FROM environments) AS other
                WHERE other.id <> environments.id";
    home.run(swap).await;
    let read = home.open().await.get_account(one.id, account.id).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })));
}

pub(crate) async fn a_removed_key_check_does_not_open_the_door(home: &Home) {
    with_account(home).await.0.close().await;
    home.run("DELETE FROM vault_check").await;
    let refused = home.open_with(koine_store::MasterKey::generate()).await;
    assert!(matches!(refused.err(), Some(StoreError::Corrupt { .. })));
}

pub(crate) async fn keys_count_for_a_day(home: &Home) {
    let (store, environment, account) = with_account(home).await;
    let call = removal(environment.id, account.id, Some("key"));
    store.begin_call(call.clone()).await.unwrap();
    store.finish_call(call.id, finish("removed", Some(answer()))).await.unwrap();
    for (hours, expected) in [(23, Begun::Replayed(answer())), (25, Begun::Started)] {
        let then = jiff::Timestamp::now() - jiff::Span::new().hours(hours);
        home.run(&format!("UPDATE idempotency_keys SET created_at = '{then:.3}'")).await;
        let again = NewCall { id: Uuid::now_v7(), ..call.clone() };
        assert_eq!(store.begin_call(again).await.unwrap(), expected);
    }
}

pub(crate) async fn a_changed_audit_log_is_noticed(home: &Home) {
    let store = home.open().await;
    for _ in 0..5 {
        environment(&store).await;
    }
    let check = store.verify_audit(None).await.unwrap();
    assert_eq!((check.entries, check.broken), (5, None));
    home.run(if home.url().starts_with("sqlite") {
        "DROP TRIGGER audit_log_is_never_changed; DROP TRIGGER audit_log_is_never_shortened"
    } else {
        "DROP TRIGGER audit_log_is_append_only ON audit_log"
    })
    .await;
    for (damage, told) in [
        ("DELETE FROM audit_log WHERE seq = 5", "ends with entry 4"),
        ("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3", "entry 3 is not as it was written"),
        ("DELETE FROM audit_log WHERE seq = 2", "entry 2 is missing"),
    ] {
        home.run(damage).await;
        let broken = store.verify_audit(None).await.unwrap().broken.unwrap();
        assert!(broken.contains(told), "{damage}: {broken}");
    }
    // Who cuts the end off and tells the head so is found out by a head that was noted elsewhere.
    home.run("DELETE FROM audit_log WHERE seq > 1; UPDATE audit_head SET seq = 1").await;
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
    let broken = store.verify_audit(Some(check.head)).await.unwrap().broken;
    assert!(broken.unwrap().contains("ends with entry 1"));
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_log() {
    let home = Home::file().unwrap();
    environment(&home.open().await).await;
    let raw = sqlx::SqlitePool::connect(home.url()).await.unwrap();
    for change in ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"] {
        assert!(sqlx::query(change).execute(&raw).await.is_err(), "{change}");
    }
}

pub(crate) async fn a_link_and_its_sessions_end_with_their_time(home: &Home) {
    let store = home.open().await;
    let environment = environment(&store).await;
    let by = Actor::operator();
    let new = || NewLinkToken {
        environment_id: environment.id,
        tenant_id: Some("acme".to_owned()),
        account_id: None,
        options: json!({}),
        context: json!({"api_key": CREDENTIAL}),
    };
    let (id, link) = store.create_link_token(new(), &by).await.unwrap();
    let (browser, secret) = store.open_link(&link, json!({})).await.unwrap().unwrap();
    let session = store.link_session(browser, &secret).await.unwrap().unwrap();
    let file = home.bytes();
    assert!(contains(&file, "link_tokens") && contains(&file, &id.to_string()), "the rows are there");
    for hidden in [CREDENTIAL, &link, &link["koine_link_".len()..], &secret] {
        assert!(!contains(&file, hidden), "{hidden}");
    }

    home.run("UPDATE link_tokens SET expires_at = '2026-01-01T00:00:00.000Z'").await;
    assert_eq!(store.open_link(&link, json!({})).await.unwrap(), None);
    let typed = LinkedAccount {
        connector: "okta".to_owned(),
        authentication_method: "api_key".to_owned(),
        context: json!({}),
        grant: GrantChange::Drop,
    };
    let quiet = LinkAnnounce { created: &|_| Vec::new(), updated: &|_| Vec::new() };
    assert_eq!(store.save_linked_account(&session, typed, &by, quiet).await.unwrap(), Linked::Spent);
    home.run("UPDATE link_sessions SET expires_at = '2026-01-01T00:00:00.000Z'").await;
    assert_eq!(store.link_session(browser, &secret).await.unwrap(), None);
    let (next, _) = store.create_link_token(new(), &by).await.unwrap();
    let file = home.bytes();
    if home.url().starts_with("postgres") {
        // A dump has no pages that were freed.
        assert!(!contains(&file, &browser.to_string()), "what ended long ago goes, with its sessions");
    }
    assert!(contains(&file, &next.to_string()));
}
