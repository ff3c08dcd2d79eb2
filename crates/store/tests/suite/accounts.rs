//! Integrated accounts.

use std::sync::Arc;

use koine_store::{AccountChange, AccountFilter, NewAccount, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{CREDENTIAL, account, answer, environment, new_account, removal};

pub(crate) async fn accounts_are_stored_and_changed(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let created = account(&store, &home).await;
    assert_eq!(created.status, "active");
    assert_eq!(store.get_account(home.id, created.id).await.unwrap(), Some(created.clone()));

    let change = AccountChange {
        context: Some(json!({ "api_key": "new" })),
        status: Some("needs_reauth".to_owned()),
        // In a vendor's words, which may hold what PostgreSQL cannot store.
        last_error: Some(Some("401\0".to_owned())),
        ..AccountChange::default()
    };
    let changed = store.update_account(home.id, created.id, change).await.unwrap().unwrap();
    assert_eq!(changed.context, json!({ "api_key": "new" }));
    assert_eq!(
        (changed.status.as_str(), changed.last_error.as_deref()),
        ("needs_reauth", Some("401\u{fffd}"))
    );
    assert_eq!(changed.tenant_id, "acme");
    assert_eq!(store.get_account(home.id, created.id).await.unwrap(), Some(changed));

    let clear = AccountChange { last_error: Some(None), ..AccountChange::default() };
    let cleared = store.update_account(home.id, created.id, clear).await.unwrap().unwrap();
    assert_eq!((cleared.last_error, cleared.status.as_str()), (None, "needs_reauth"));

    assert!(store.delete_account(home.id, created.id).await.unwrap());
    assert!(!store.delete_account(home.id, created.id).await.unwrap());
    assert_eq!(store.get_account(home.id, created.id).await.unwrap(), None);
    let nowhere = NewAccount { environment_id: Uuid::nil(), ..new_account(&home) };
    assert!(matches!(store.create_account(nowhere).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn foreign_accounts_are_invisible(store: Arc<dyn Store>) {
    let (home, foreign) = (environment(&store).await, environment(&store).await);
    let theirs = account(&store, &foreign).await;
    assert_eq!(store.get_account(home.id, theirs.id).await.unwrap(), None);
    let listed = store.list_accounts(home.id, AccountFilter::default(), 10, None).await.unwrap();
    assert_eq!(listed, []);
    let change = AccountChange { status: Some("broken".to_owned()), ..AccountChange::default() };
    assert_eq!(store.update_account(home.id, theirs.id, change.clone()).await.unwrap(), None);
    assert_eq!(store.update_account(Uuid::nil(), theirs.id, change).await.unwrap(), None);
    assert!(!store.delete_account(home.id, theirs.id).await.unwrap());
    assert_eq!(store.get_account(foreign.id, theirs.id).await.unwrap(), Some(theirs));
}

pub(crate) async fn accounts_are_listed_in_pages(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let tenant_id = if number % 2 == 0 { "even" } else { "odd" }.to_owned();
        let new = NewAccount { tenant_id, ..new_account(&home) };
        ids.push(store.create_account(new).await.unwrap().id);
    }
    let list = |filter, limit, after| {
        let store = Arc::clone(&store);
        async move {
            let page = store.list_accounts(home.id, filter, limit, after).await.unwrap();
            page.into_iter().map(|account| account.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(AccountFilter::default(), 2, None).await, ids[..2]);
    assert_eq!(list(AccountFilter::default(), 2, Some(ids[1])).await, ids[2..4]);
    assert_eq!(list(AccountFilter::default(), 2, Some(ids[4])).await, ids[5..]);
    let odd = AccountFilter { tenant_id: Some("odd".to_owned()), ..AccountFilter::default() };
    assert_eq!(list(odd, 10, None).await, [ids[1], ids[3]]);
    let okta = AccountFilter {
        connector: Some("okta".to_owned()),
        status: Some("active".to_owned()),
        tenant_id: Some("even".to_owned()),
    };
    assert_eq!(list(okta.clone(), 10, Some(ids[0])).await, [ids[2], ids[4]]);
    let none = AccountFilter { connector: Some("slack".to_owned()), ..okta };
    assert_eq!(list(none, 10, None).await, ids[5..]);
}

pub(crate) async fn debug_hides_credentials(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let created = account(&store, &home).await;
    let change = AccountChange { context: Some(created.context.clone()), ..AccountChange::default() };
    let call = removal(home.id, created.id, None);
    store.begin_call(call.clone()).await.unwrap();
    store.record_intent(call.id, "delete", "d", Some(&created.context)).await.unwrap();
    let open = store.open_intents().await.unwrap();
    let new = new_account(&home);
    let shown = format!("{created:?} {new:?} {change:?} {call:?} {:?} {open:?}", answer());
    assert!(shown.contains("[redacted]") && !shown.contains(CREDENTIAL), "{shown}");
}
