//! When what was read may still be believed.

use std::sync::Arc;

use koine_store::{AccountChange, NOTICED_WITHIN, NewToken, Store};

use crate::fixtures::{Home, account, environment};

fn token(environment_id: uuid::Uuid) -> NewToken {
    let (name, account_ids, expires_at) = ("ci".to_owned(), None, None);
    NewToken { environment_id, name, account_ids, read_only: false, expires_at }
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

#[tokio::test]
async fn changes_by_others_are_noticed_in_time() {
    let home = Home::file();
    let (server, command) = (home.open().await, home.open().await);
    let environment = environment(&command).await;
    let (token, secret) = command.create_token(token(environment.id)).await.unwrap();
    let account = account(&command, &environment).await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    let before = server.version().await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(server.version().await, Some(before), "nothing has changed");

    command.revoke_token(token.id).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    let after = server.version().await.unwrap();
    assert!(after > before);
    assert_eq!(server.find_token(&secret).await.unwrap(), None);

    command.delete_account(environment.id, account.id).await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert!(server.version().await.unwrap() > after);
}

#[tokio::test]
async fn a_closed_store_has_no_version_to_believe() {
    let home = Home::file();
    let store = home.open().await;
    store.close().await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(store.version().await, None);
}
