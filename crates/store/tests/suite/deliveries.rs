//! Deliveries: taken by one node at a time, tried again, given up, and sent again.

use std::sync::Arc;
use std::time::Duration;

use koine_store::{
    Actor, Attempt, DeliveryFilter, DueDelivery, Environment, Next, Recorded, Replay, Store, StoreError,
    Verdict, WebhookChange,
};
use serde_json::json;

use crate::fixtures::environment;
use crate::webhooks::{event, webhook};

const LEASE: Duration = Duration::from_secs(60);
/// Long enough ago to be due at once.
const NOW: Duration = Duration::ZERO;

fn answered(http_status: u16) -> Attempt {
    Attempt { http_status: Some(http_status), error: None, duration_ms: 7, answer: Some("well".to_owned()) }
}

/// A receiver that needs no rest and has all the time.
fn verdict(next: Next) -> Verdict {
    Verdict { next, rest: NOW, patience: LEASE }
}

pub(crate) async fn due(store: &Arc<dyn Store>) -> Vec<DueDelivery> {
    store.claim_deliveries(10, LEASE).await.unwrap()
}

/// The only one that is due.
pub(crate) async fn only_due(store: &Arc<dyn Store>) -> DueDelivery {
    let mut due = due(store).await;
    assert_eq!(due.len(), 1, "{due:?}");
    due.remove(0)
}

pub(crate) async fn finish(store: &Arc<dyn Store>, due: &DueDelivery, next: Next) -> Recorded {
    let status = if next == Next::Done { 200 } else { 500 };
    store.finish_attempt(due, answered(status), verdict(next)).await.unwrap()
}

async fn statuses(store: &Arc<dyn Store>, environment: &Environment) -> Vec<(String, String)> {
    let all = store.list_deliveries(environment.id, DeliveryFilter::default(), 100, None).await.unwrap();
    all.into_iter().rev().map(|delivery| (delivery.event, delivery.status)).collect()
}

fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(event, status)| ((*event).to_owned(), (*status).to_owned())).collect()
}

pub(crate) async fn a_lease_keeps_others_off(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    webhook(&store, &home, None).await;
    store.record_event(event(&home, "test")).await.unwrap();
    let claims = futures_of(&store, 8).await;
    let mut taken: Vec<_> = claims.iter().flatten().map(|due| due.id).collect();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!((taken.len(), claims.iter().flatten().count()), (2, 2), "each to one claim");
}

/// What so many claims at once were given.
async fn futures_of(store: &Arc<dyn Store>, claims: usize) -> Vec<Vec<DueDelivery>> {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..claims {
        let store = Arc::clone(store);
        running.spawn(async move { store.claim_deliveries(1, LEASE).await.unwrap() });
    }
    running.join_all().await
}

pub(crate) async fn a_lease_ends(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    store.record_event(event(&home, "test")).await.unwrap();
    let lost = store.claim_deliveries(1, NOW).await.unwrap().remove(0);
    let again = only_due(&store).await;
    assert_eq!((again.id, again.event_id, again.attempts), (lost.id, lost.event_id, 0));
    // The first one was only slow: both are done, one is recorded, and the lease of the second holds.
    assert_eq!(finish(&store, &again, Next::Done).await, Recorded::Delivery);
    assert_eq!(finish(&store, &lost, Next::Done).await, Recorded::Outrun);
}

pub(crate) async fn a_slower_twin_changes_nothing(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    store.record_event(event(&home, "test")).await.unwrap();
    let slow = store.claim_deliveries(1, NOW).await.unwrap().remove(0);
    let quick = only_due(&store).await;
    assert_eq!(finish(&store, &slow, Next::Again(NOW)).await, Recorded::Delivery);
    assert!(due(&store).await.is_empty(), "the second lease holds whatever the first one does");
    assert_eq!(finish(&store, &quick, Next::Done).await, Recorded::Outrun);
    assert_eq!(only_due(&store).await.attempts, 1);
}

pub(crate) async fn deliveries_come_in_order_one_at_a_time(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    webhook(&store, &home, None).await;
    assert_eq!(store.next_delivery().await.unwrap(), None);
    for name in ["test", "api_token:created", "api_token:deleted"] {
        store.record_event(event(&home, name)).await.unwrap();
    }
    assert_eq!(store.next_delivery().await.unwrap(), Some(NOW));
    let first = only_due(&store).await;
    assert_eq!(first.event, "test");
    assert!(due(&store).await.is_empty(), "the others wait for the first");
    finish(&store, &first, Next::Again(LEASE)).await;
    for name in ["api_token:created", "api_token:deleted"] {
        let next = only_due(&store).await;
        assert_eq!(next.event, name, "what is tried again later keeps nobody waiting");
        finish(&store, &next, Next::Done).await;
    }
    let wait = store.next_delivery().await.unwrap().unwrap();
    assert!(wait > NOW && wait <= LEASE, "{wait:?}");
}

pub(crate) async fn failures_are_logged_and_tried_again(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    store.record_event(event(&home, "test")).await.unwrap();
    let first = only_due(&store).await;
    let lost = Attempt { http_status: None, error: Some("lost".to_owned()), duration_ms: 3, answer: None };
    store.finish_attempt(&first, lost.clone(), verdict(Next::Again(NOW))).await.unwrap();
    assert!(store.get_webhook(home.id, mine.id).await.unwrap().unwrap().failing_since.is_some());
    let second = only_due(&store).await;
    assert_eq!((second.id, second.attempts, second.retries), (first.id, 1, 1));
    finish(&store, &second, Next::Done).await;
    assert_eq!(store.get_webhook(home.id, mine.id).await.unwrap().unwrap().failing_since, None);

    let filter = |status: &str, event: &str| DeliveryFilter {
        webhook_id: Some(mine.id),
        event: Some(event.to_owned()),
        status: Some(status.to_owned()),
        ..DeliveryFilter::default()
    };
    let found = store.list_deliveries(home.id, filter("delivered", "test"), 9, None).await.unwrap();
    let attempts: Vec<_> = found[0].attempts.iter().map(|(attempt, _)| attempt.clone()).collect();
    assert_eq!(attempts, [lost, answered(200)]);
    assert!(found[0].finished_at.is_some() && found[0].next_at.is_none());
    for none in [filter("failed", "test"), filter("delivered", "other")] {
        assert_eq!(store.list_deliveries(home.id, none, 9, None).await.unwrap(), []);
    }
    let within = |after: &str, until: &str| DeliveryFilter {
        after: Some(after.to_owned()),
        until: Some(until.to_owned()),
        ..DeliveryFilter::default()
    };
    for (times, count) in [
        (within("2020-01-01T01:00:00+01:00", "2999-01-01T00:00:00Z"), 1),
        (within("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"), 0),
        (within("2998-01-01T00:00:00Z", "2999-01-01T00:00:00Z"), 0),
    ] {
        assert_eq!(store.list_deliveries(home.id, times, 9, None).await.unwrap().len(), count);
    }
    let never = store.list_deliveries(home.id, within("yesterday", "tomorrow"), 9, None).await;
    assert!(matches!(never, Err(StoreError::Invalid { .. })));
    let before = store.list_deliveries(home.id, DeliveryFilter::default(), 9, Some(first.id)).await.unwrap();
    assert_eq!(before, []);
}

pub(crate) async fn nothing_reached_turns_off(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let dead = webhook(&store, &home, Some(&["test"])).await;
    let alive = webhook(&store, &home, Some(&["webhook:disabled"])).await;
    store.record_event(event(&home, "test")).await.unwrap();
    store.record_event(event(&home, "test")).await.unwrap();
    let first = only_due(&store).await;
    assert_eq!(finish(&store, &first, Next::Again(LEASE)).await, Recorded::Delivery);
    let second = only_due(&store).await;
    let short = Verdict { patience: NOW, ..verdict(Next::GiveUp) };
    assert_eq!(store.finish_attempt(&second, answered(500), short).await.unwrap(), Recorded::Disabled);

    let off = store.get_webhook(home.id, dead.id).await.unwrap().unwrap();
    assert!(!off.is_active && off.disabled_at.is_some());
    assert_eq!(
        statuses(&store, &home).await,
        told(&[("test", "held"), ("test", "failed"), ("webhook:disabled", "pending")])
    );
    let told = only_due(&store).await;
    assert_eq!((told.webhook_id, &told.payload["id"]), (alive.id, &json!(dead.id)));
}

pub(crate) async fn a_success_forgets_failures(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    for name in ["refused", "welcome", "refused"] {
        store.record_event(event(&home, name)).await.unwrap();
    }
    finish(&store, &only_due(&store).await, Next::Again(LEASE)).await;
    let welcome = only_due(&store).await;
    assert_eq!(welcome.failures, 1, "of whichever delivery");
    finish(&store, &welcome, Next::Done).await;
    let mine = store.get_webhook(home.id, mine.id).await.unwrap().unwrap();
    assert_eq!((mine.is_active, mine.failing_since), (true, None));
    assert_eq!(only_due(&store).await.failures, 0);
}

pub(crate) async fn who_fails_is_left_alone(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    store.record_event(event(&home, "first")).await.unwrap();
    store.record_event(event(&home, "second")).await.unwrap();
    let first = only_due(&store).await;
    let resting = Verdict { rest: LEASE, ..verdict(Next::Again(NOW)) };
    store.finish_attempt(&first, answered(500), resting).await.unwrap();
    assert!(due(&store).await.is_empty(), "neither that delivery nor another one");
    let on = WebhookChange { is_active: Some(true), ..WebhookChange::default() };
    store.update_webhook(home.id, mine.id, on, &Actor::operator()).await.unwrap();
    assert_eq!(only_due(&store).await.event, "second", "due for longest: the first one was put off");
}

pub(crate) async fn what_is_off_is_held(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    let switch = |on: bool| WebhookChange { is_active: Some(on), ..WebhookChange::default() };
    store.record_event(event(&home, "running")).await.unwrap();
    store.record_event(event(&home, "waiting")).await.unwrap();
    let running = only_due(&store).await;
    store.update_webhook(home.id, mine.id, switch(false), &Actor::operator()).await.unwrap().unwrap();
    store.record_event(event(&home, "unheard")).await.unwrap();
    finish(&store, &running, Next::Again(NOW)).await;
    assert!(due(&store).await.is_empty());
    assert_eq!(statuses(&store, &home).await, told(&[("running", "held"), ("waiting", "held")]));
    assert_eq!(store.next_delivery().await.unwrap(), None, "nobody wakes for it");

    store.update_webhook(home.id, mine.id, switch(true), &Actor::operator()).await.unwrap().unwrap();
    let first = only_due(&store).await;
    assert_eq!((first.event.as_str(), first.retries), ("running", 0));
}

pub(crate) async fn replays_queue_again(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    store.record_event(event(&home, "good")).await.unwrap();
    let good = only_due(&store).await;
    finish(&store, &good, Next::Done).await;
    store.record_event(event(&home, "bad")).await.unwrap();
    let bad = only_due(&store).await;
    finish(&store, &bad, Next::GiveUp).await;
    let switch = |on: bool| WebhookChange { is_active: Some(on), ..WebhookChange::default() };
    let all = |since: &str| Replay::FailedSince(since.to_owned());
    let replay =
        async |what: Replay| store.replay_deliveries(home.id, mine.id, what, &Actor::operator()).await;
    store.update_webhook(home.id, mine.id, switch(false), &Actor::operator()).await.unwrap();
    assert_eq!(replay(all("2020-01-01T00:00:00Z")).await.unwrap(), 0, "it is off");
    store.update_webhook(home.id, mine.id, switch(true), &Actor::operator()).await.unwrap();

    assert_eq!(replay(all("2999-01-01T00:00:00Z")).await.unwrap(), 0);
    assert!(matches!(replay(all("yesterday")).await, Err(StoreError::Invalid { .. })));
    assert_eq!(replay(all("2020-01-01T01:00:00+01:00")).await.unwrap(), 1);
    let again = only_due(&store).await;
    assert_eq!((again.id, again.event_id, again.attempts, again.retries), (bad.id, bad.event_id, 1, 0));
    finish(&store, &again, Next::Done).await;

    assert_eq!(replay(Replay::One(good.id)).await.unwrap(), 1, "whatever became of it");
    assert_eq!(replay(Replay::One(good.id)).await.unwrap(), 0, "queued already");
    assert_eq!(only_due(&store).await.id, good.id);
}

pub(crate) async fn single_deliveries_are_not_queued(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, Some(&[])).await;
    let due_now = store.single_delivery(mine.id, event(&home, "test")).await.unwrap().unwrap();
    assert!(due(&store).await.is_empty());
    assert_eq!(finish(&store, &due_now, Next::GiveUp).await, Recorded::Delivery);
    assert_eq!(statuses(&store, &home).await, told(&[("test", "failed")]));
    let after = store.get_webhook(home.id, mine.id).await.unwrap().unwrap();
    assert_eq!((after.is_active, after.failing_since), (true, None), "a test says nothing of its health");
}

pub(crate) async fn old_events_are_forgotten(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let mine = webhook(&store, &home, None).await;
    store.record_event(event(&home, "done")).await.unwrap();
    let done = only_due(&store).await;
    finish(&store, &done, Next::Done).await;
    store.record_event(event(&home, "queued")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3)).await;
    assert_eq!(store.forget_events(LEASE).await.unwrap(), 0);
    assert_eq!(store.forget_events(Duration::from_millis(1)).await.unwrap(), 1);
    assert_eq!(statuses(&store, &home).await, told(&[("queued", "pending")]));
    assert!(
        store.delete_webhook(home.id, mine.id, &Actor::operator()).await.unwrap(),
        "with what is queued for it"
    );
    assert_eq!(statuses(&store, &home).await, []);
    assert_eq!(store.next_delivery().await.unwrap(), None);
}
