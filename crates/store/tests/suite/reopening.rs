//! What a restart keeps, and what opening refuses.

use koine_store::{Begun, MasterKey, NewCall, StoreError, Vault};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{Home, account, answer, environment, finish, removal};

pub(crate) async fn state_survives_reopening(home: &Home) {
    let store = home.open().await;
    let environment = environment(&store).await;
    let account = account(&store, &environment).await;
    let done = removal(environment.id, account.id, Some("done"));
    store.begin_call(done.clone()).await.unwrap();
    store.finish_call(done.id, finish("removed", Some(answer()))).await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Database(_))));

    let store = home.open().await;
    assert_eq!(store.get_account(environment.id, account.id).await.unwrap(), Some(account));
    let repeated = NewCall { id: Uuid::now_v7(), ..done };
    assert_eq!(store.begin_call(repeated).await.unwrap(), Begun::Replayed(answer()));
}

pub(crate) async fn intents_survive_a_crash(home: &Home) {
    let crashed = home.open().await;
    let environment = environment(&crashed).await;
    let intended = removal(environment.id, Uuid::now_v7(), Some("intended"));
    let unstarted = removal(environment.id, Uuid::now_v7(), Some("unstarted"));
    for call in [&intended, &unstarted] {
        crashed.begin_call(call.clone()).await.unwrap();
    }
    crashed.record_intent(intended.id, "delete", "d", Some(&json!({ "name": "Ada" }))).await.unwrap();

    // Not closed: what is not durable by now is lost.
    let store = home.open().await;
    let open = store.open_intents().await.unwrap();
    assert_eq!(open.len(), 1);
    let waiting = NewCall { id: Uuid::now_v7(), ..unstarted.clone() };
    assert_eq!(store.begin_call(waiting).await.unwrap(), Begun::InProgress, "opening alone gives nothing up");
    assert_eq!(store.release_unstarted_calls().await.unwrap(), 1);
    assert_eq!((open[0].call_id, &open[0].request), (intended.id, &intended.request));
    assert_eq!(open[0].target, Some(json!({ "name": "Ada" })));
    for (call, begun) in [(intended, Begun::InProgress), (unstarted, Begun::Started)] {
        assert_eq!(store.begin_call(NewCall { id: Uuid::now_v7(), ..call }).await.unwrap(), begun);
    }
}

pub(crate) async fn two_processes_start_a_key_once(home: &Home) {
    let (one, two) = (home.open().await, home.open().await);
    let environment = environment(&one).await;
    for round in 0..20 {
        let call = removal(environment.id, Uuid::nil(), Some(&format!("key {round}")));
        let other = NewCall { id: Uuid::now_v7(), ..call.clone() };
        let begun = tokio::join!(one.begin_call(call), two.begin_call(other));
        let started =
            [begun.0.unwrap(), begun.1.unwrap()].iter().filter(|begun| **begun == Begun::Started).count();
        assert_eq!(started, 1);
    }
}

pub(crate) async fn another_master_key_is_refused(home: &Home) {
    home.open().await.close().await;
    let refused = home.open_with(MasterKey::generate()).await;
    assert!(matches!(refused.err(), Some(StoreError::WrongKey)));
    home.open().await;
}

pub(crate) async fn a_newer_schema_is_refused(home: &Home) {
    home.open().await.close().await;
    home.become_newer().await;
    let key = MasterKey::generate();
    let refused = home.open_with(key).await.err().unwrap();
    assert!(matches!(refused, StoreError::NewerSchema { found: 9999, .. }), "{refused:?}");
    assert!(refused.to_string().contains("run the koine that migrated it"), "{refused}");
}

pub(crate) async fn two_may_open_a_new_database_at_once(home: &Home) {
    let (one, two) = tokio::join!(home.open(), home.open());
    let environment = environment(&one).await;
    assert_eq!(two.get_environment(environment.id).await.unwrap(), Some(environment));
}

#[tokio::test]
async fn other_schemes_are_refused_without_their_password() {
    for url in ["mysql://koine:hunter2@db/koine", "/var/lib/koine.db"] {
        let refused = koine_store::open(url, Vault::new(MasterKey::generate())).await.err().unwrap();
        assert!(matches!(refused, StoreError::UnsupportedUrl { .. }));
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn an_unusable_path_is_an_error() {
    let refused = koine_store::open("sqlite:///nowhere/koine.db", Vault::new(MasterKey::generate())).await;
    assert!(matches!(refused.err(), Some(StoreError::Database(_))));
}
