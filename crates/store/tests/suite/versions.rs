//! When what was read may still be believed.

use std::sync::Arc;

use koine_store::{AccountChange, NOTICED_WITHIN, NewToken, Store};

use crate::fixtures::{Home, account, environment};

fn token(environment_id: uuid::Uuid) -> NewToken {
    let (name, account_ids, expires_at) = ("ci".to_owned(), None, None);
    NewToken { environment_id, name, account_ids, read_only: false, administrator: false, expires_at }
}

pub(crate) async fn own_changes_make_a_new_version_at_once(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let account = account(&store, &home).await;
    let (token, _) = store.create_token(token(home.id)).await.unwrap();
    let mut before = store.version().await.unwrap();
    store.revoke_token(token.id).await.unwrap();
    for _ in 0..2 {
        let after = store.version().await.unwrap();
        assert!(after > before);
        before = after;
        store.update_account(home.id, account.id, AccountChange::default()).await.unwrap();
    }
    let before = store.version().await.unwrap();
    store.delete_account(home.id, account.id).await.unwrap();
    assert!(store.version().await.unwrap() > before);
}

/// The version once it is another one than `before`.
async fn later_than(store: &Arc<dyn Store>, before: Option<u64>) -> Option<u64> {
    for _ in 0..200 {
        let version = store.version().await;
        if version.is_some() && version != before {
            return version;
        }
        tokio::time::sleep(NOTICED_WITHIN).await;
    }
    panic!("a change was not noticed: still {before:?}");
}

pub(crate) async fn changes_by_others_are_noticed(home: &Home) {
    let (server, command) = (home.open().await, home.open().await);
    let environment = environment(&command).await;
    let (token, secret) = command.create_token(token(environment.id)).await.unwrap();
    let account = account(&command, &environment).await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    let before = server.version().await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(server.version().await, before, "nothing has changed");

    command.revoke_token(token.id).await.unwrap();
    let after = later_than(&server, before).await;
    assert!(after > before);
    assert_eq!(server.find_token(&secret).await.unwrap(), None);

    command.delete_account(environment.id, account.id).await.unwrap();
    assert!(later_than(&server, after).await > after);
}

pub(crate) async fn a_closed_store_has_no_version_to_believe(home: &Home) {
    let store = home.open().await;
    store.close().await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(store.version().await, None);
}

/// While nobody would tell of changes, there is nothing to believe; after that, nothing from before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_while_not_listening_is_not_believed() {
    let Some(home) = Home::postgres() else { return };
    let store = home.open().await;
    let before = store.version().await;
    assert!(before.is_some());
    home.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    assert!(later_than(&store, before).await > before, "it listens again");
    store.ping().await.unwrap();
}
