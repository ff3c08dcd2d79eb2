//! Events, and the webhooks that hear of them.

use std::sync::Arc;

use koine_store::{
    AccountChange, Actor, DeliveryFilter, Environment, NewEvent, NewToken, NewWebhook, Next, Replay, Store,
    StoreError, Webhook, WebhookChange,
};
use serde_json::json;
use uuid::Uuid;

use crate::deliveries::{due, finish, only_due};
use crate::fixtures::{account, environment, new_account};

pub(crate) fn event(environment: &Environment, name: &str) -> NewEvent {
    NewEvent { environment_id: environment.id, event: name.to_owned(), payload: json!({ "of": name }) }
}

pub(crate) async fn webhook(
    store: &Arc<dyn Store>,
    environment: &Environment,
    types: Option<&[&str]>,
) -> Webhook {
    let new = NewWebhook {
        environment_id: environment.id,
        target_url: "https://receiver.example.com/hook".to_owned(),
        event_types: types.map(|types| types.iter().map(|&name| name.to_owned()).collect()),
        is_active: true,
    };
    store.create_webhook(new, &Actor::operator()).await.unwrap().0
}

pub(crate) async fn events_queue_one_delivery_for_whoever_wants_them(store: Arc<dyn Store>) {
    let (home, elsewhere) = (environment(&store).await, environment(&store).await);
    let all = webhook(&store, &home, None).await;
    let family = webhook(&store, &home, Some(&["api_token:*", "test"])).await;
    webhook(&store, &home, Some(&["integrated_account:active"])).await;
    webhook(&store, &elsewhere, None).await;
    let id = store.record_event(event(&home, "api_token:created")).await.unwrap();
    let due = due(&store).await;
    let mut receivers: Vec<_> = due.iter().map(|due| due.webhook_id).collect();
    receivers.sort_unstable();
    assert_eq!(receivers, [all.id, family.id]);
    for due in &due {
        assert_eq!((due.event_id, due.event.as_str(), due.attempts), (id, "api_token:created", 0));
        assert_eq!(due.payload, json!({ "of": "api_token:created" }));
        assert_eq!(due.target_url, "https://receiver.example.com/hook");
    }
    let nowhere = NewEvent { environment_id: Uuid::nil(), ..event(&home, "test") };
    assert!(matches!(store.record_event(nowhere).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn account_changes_and_their_events_are_one(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    let announce = |account: &koine_store::Account| {
        let payload = json!({ "status": account.status });
        vec![NewEvent { environment_id: account.environment_id, event: "changed".to_owned(), payload }]
    };
    let by = Actor::operator();
    let made = store.create_account_by(new_account(&home), &by, &announce).await.unwrap();
    let change = AccountChange { status: Some("needs_reauth".to_owned()), ..AccountChange::default() };
    store.update_account_with(home.id, made.id, change.clone(), &announce).await.unwrap().unwrap();
    let change = AccountChange { status: Some("active".to_owned()), ..change };
    store.update_account_by(home.id, made.id, change.clone(), &by, &announce).await.unwrap().unwrap();
    let gone = [event(&home, "gone")];
    assert!(store.delete_account_by(home.id, made.id, &by, &gone).await.unwrap());

    let absent = store.update_account_with(home.id, made.id, change.clone(), &announce).await.unwrap();
    assert_eq!(absent, None, "and nothing is told of it");
    assert_eq!(store.update_account_by(home.id, made.id, change, &by, &announce).await.unwrap(), None);
    assert!(!store.delete_account_by(home.id, made.id, &by, &gone).await.unwrap());
    assert!(!store.delete_account_by(Uuid::nil(), made.id, &by, &[]).await.unwrap());
    account(&store, &home).await;

    let mut payloads = Vec::new();
    while let Some(next) = due(&store).await.pop() {
        finish(&store, &next, Next::Done).await;
        payloads.push(next.payload);
    }
    let status = |status: &str| json!({ "status": status });
    assert_eq!(
        payloads,
        [status("active"), status("needs_reauth"), status("active"), json!({ "of": "gone" })]
    );
}

pub(crate) async fn token_changes_are_announced(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    let new = NewToken {
        environment_id: home.id,
        name: "ci".to_owned(),
        account_ids: None,
        read_only: true,
        administrator: false,
        expires_at: None,
    };
    let (token, secret) = store.create_token(new).await.unwrap();
    assert!(store.revoke_token(token.id).await.unwrap() && !store.revoke_token(token.id).await.unwrap());
    for name in ["api_token:created", "api_token:deleted"] {
        let due = only_due(&store).await;
        assert_eq!((due.event.as_str(), &due.payload["id"]), (name, &json!(token.id)));
        assert!(!due.payload.to_string().contains(&secret));
        finish(&store, &due, Next::Done).await;
    }
    assert!(due(&store).await.is_empty());
}

pub(crate) async fn webhooks_are_stored_and_changed(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let first = webhook(&store, &home, Some(&["test"])).await;
    let second = webhook(&store, &home, None).await;
    assert_eq!(store.get_webhook(home.id, first.id).await.unwrap(), Some(first.clone()));
    let all = store.list_webhooks(home.id, None, 1, None).await.unwrap();
    assert_eq!(all, std::slice::from_ref(&first));
    assert_eq!(
        store.list_webhooks(home.id, None, 9, Some(first.id)).await.unwrap(),
        std::slice::from_ref(&second)
    );

    let change = WebhookChange {
        target_url: Some("https://other.example.com/".to_owned()),
        event_types: Some(None),
        is_active: Some(false),
    };
    let changed = store.update_webhook(home.id, first.id, change, &Actor::operator()).await.unwrap().unwrap();
    assert_eq!((changed.target_url.as_str(), changed.is_active), ("https://other.example.com/", false));
    assert_eq!(changed.event_types, None);
    let same = store
        .update_webhook(home.id, first.id, WebhookChange::default(), &Actor::operator())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(Webhook { updated_at: changed.updated_at.clone(), ..same }, changed);
    assert_eq!(store.list_webhooks(home.id, Some(true), 9, None).await.unwrap(), [second]);
    assert!(store.delete_webhook(home.id, first.id, &Actor::operator()).await.unwrap());
    assert!(!store.delete_webhook(home.id, first.id, &Actor::operator()).await.unwrap());
}

pub(crate) async fn an_environment_has_so_many_webhooks(store: Arc<dyn Store>) {
    let (home, elsewhere) = (environment(&store).await, environment(&store).await);
    for _ in 0..100 {
        webhook(&store, &home, Some(&[])).await;
    }
    let one = |environment: &Environment| NewWebhook {
        environment_id: environment.id,
        target_url: "https://receiver.example.com/".to_owned(),
        event_types: None,
        is_active: true,
    };
    let refused = store.create_webhook(one(&home), &Actor::operator()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    store.create_webhook(one(&elsewhere), &Actor::operator()).await.unwrap();
    let last = store.list_webhooks(home.id, None, 1000, None).await.unwrap().pop().unwrap();
    assert!(store.delete_webhook(home.id, last.id, &Actor::operator()).await.unwrap());
    store.create_webhook(one(&home), &Actor::operator()).await.unwrap();
}

pub(crate) async fn foreign_webhooks_are_invisible(store: Arc<dyn Store>) {
    let (home, thief) = (environment(&store).await, environment(&store).await);
    let mine = webhook(&store, &home, None).await;
    store.record_event(event(&home, "test")).await.unwrap();
    let delivery = only_due(&store).await;
    finish(&store, &delivery, Next::GiveUp).await;
    for stranger in [thief.id, Uuid::nil()] {
        assert_eq!(store.get_webhook(stranger, mine.id).await.unwrap(), None);
        assert_eq!(store.list_webhooks(stranger, None, 9, None).await.unwrap(), []);
        let change = WebhookChange { is_active: Some(false), ..WebhookChange::default() };
        assert_eq!(store.update_webhook(stranger, mine.id, change, &Actor::operator()).await.unwrap(), None);
        assert!(!store.delete_webhook(stranger, mine.id, &Actor::operator()).await.unwrap());
        let test = NewEvent { environment_id: stranger, ..event(&home, "test") };
        assert!(store.single_delivery(mine.id, test).await.unwrap().is_none());
        let filter = DeliveryFilter { webhook_id: Some(mine.id), ..DeliveryFilter::default() };
        assert_eq!(store.list_deliveries(stranger, filter, 9, None).await.unwrap(), []);
        let all = Replay::FailedSince("2020-01-01T00:00:00Z".to_owned());
        for what in [all, Replay::One(delivery.id)] {
            assert_eq!(
                store.replay_deliveries(stranger, mine.id, what, &Actor::operator()).await.unwrap(),
                0
            );
        }
    }
    assert!(store.get_webhook(home.id, mine.id).await.unwrap().is_some());
}

pub(crate) async fn debug_hides_secrets(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let target_url = "https://receiver.example.com/capability".to_owned();
    let new = NewWebhook { environment_id: home.id, target_url, event_types: None, is_active: true };
    let (webhook, secret) = store.create_webhook(new, &Actor::operator()).await.unwrap();
    assert_eq!(Uuid::try_parse(&secret).unwrap().get_version_num(), 4);
    let payload = json!({ "note": "whispered" });
    let happened = NewEvent { payload: payload.clone(), ..event(&home, "test") };
    let text = format!("{happened:?} {webhook:?}");
    store.record_event(happened).await.unwrap();
    let due = only_due(&store).await;
    assert_eq!((due.secret.as_str(), &due.payload), (secret.as_str(), &payload));
    let text = format!("{text} {due:?}");
    for hidden in [secret.as_str(), "capability", "whispered"] {
        assert!(!text.contains(hidden), "{text}");
    }
}
