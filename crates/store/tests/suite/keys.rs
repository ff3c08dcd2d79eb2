//! Another master key, while nodes run.

use std::sync::{Arc, Mutex};

use crate::fixtures::{Home, account, environment, new_account};
use async_trait::async_trait;
use koine_store::{Actor, AuditFilter, KeySource, MasterKey, Rotated, Store, StoreError, Vault};

/// What a key file holds, changed under the nodes that read it.
#[derive(Clone)]
struct Keys(Arc<Mutex<Vec<String>>>);

impl Keys {
    fn of(texts: &[&str]) -> Self {
        Self(Arc::new(Mutex::new(texts.iter().map(|text| (*text).to_owned()).collect())))
    }

    fn hold(&self, texts: &[&str]) {
        *self.0.lock().unwrap() = texts.iter().map(|text| (*text).to_owned()).collect();
    }
}

#[async_trait]
impl KeySource for Keys {
    async fn keys(&self) -> Result<Vec<MasterKey>, StoreError> {
        self.0.lock().unwrap().iter().map(|text| MasterKey::from_base64(text)).collect()
    }
}

async fn open(home: &Home, keys: &Keys) -> Result<Arc<dyn Store>, StoreError> {
    koine_store::open(home.url(), Vault::with_source(keys.clone())).await
}

fn new_key() -> String {
    MasterKey::generate().to_base64().to_string()
}

pub(crate) async fn nodes_take_the_new_key_as_they_run(home: &Home) {
    let (old, new) = (new_key(), new_key());
    let keys = Keys::of(&[&old]);
    let (one, two) = (open(home, &keys).await.unwrap(), open(home, &keys).await.unwrap());
    let first = environment(&one).await;
    let held = account(&one, &first).await;
    let unread = environment(&two).await;
    let sealed = account(&two, &unread).await;
    let cursors = one.installation_key("cursors").await.unwrap();

    keys.hold(&[&new, &old]);
    let command = open(home, &keys).await.unwrap();
    let rotated = command.rotate_master_key(&Actor::operator()).await.unwrap();
    assert_eq!(rotated, Rotated::Done { environments: 2 });
    assert_eq!(command.rotate_master_key(&Actor::operator()).await.unwrap(), Rotated::Already);
    assert!(command.is_under_first_key().await.unwrap());

    // `one` has never unwrapped the key of the second environment, and `two` makes a third.
    assert_eq!(one.get_account(first.id, held.id).await.unwrap(), Some(held.clone()));
    assert_eq!(one.get_account(unread.id, sealed.id).await.unwrap(), Some(sealed.clone()));
    let third = environment(&two).await;
    let made = two.create_account(new_account(&third)).await.unwrap();
    assert_eq!(two.installation_key("cursors").await.unwrap(), cursors);
    assert!(!one.notice_master_key().await.unwrap(), "noticed above");

    keys.hold(&[&new]);
    let fresh = open(home, &keys).await.unwrap();
    for (environment, account) in [(first.id, &held), (unread.id, &sealed), (third.id, &made)] {
        assert_eq!(fresh.get_account(environment, account.id).await.unwrap().as_ref(), Some(account));
    }
    assert_eq!(fresh.verify_audit(None).await.unwrap().broken, None);
    let log =
        fresh.list_audit(AuditFilter { action: Some("key".to_owned()), ..AuditFilter::default() }, 9, None);
    assert_eq!(log.await.unwrap().len(), 1, "one change of the key");
    let refused = open(home, &Keys::of(&[&old])).await;
    assert!(matches!(refused.err(), Some(StoreError::WrongKey)));
}

pub(crate) async fn a_node_without_the_new_key_keeps_what_is_open_and_spoils_nothing(home: &Home) {
    let (old, new) = (new_key(), new_key());
    let behind = open(home, &Keys::of(&[&old])).await.unwrap();
    let first = environment(&behind).await;
    let held = account(&behind, &first).await;
    let command = open(home, &Keys::of(&[&new, &old])).await.unwrap();
    command.rotate_master_key(&Actor::operator()).await.unwrap();

    assert!(matches!(behind.notice_master_key().await, Err(StoreError::WrongKey)));
    assert_eq!(behind.get_account(first.id, held.id).await.unwrap(), Some(held));
    let refused = behind.create_environment("under the old key").await;
    assert!(matches!(refused, Err(StoreError::WrongKey)));
    assert_eq!(command.list_environments().await.unwrap().len(), 1);
}

pub(crate) async fn a_rotation_that_fails_half_way_changes_nothing(home: &Home) {
    let (old, new) = (new_key(), new_key());
    let store = open(home, &Keys::of(&[&old])).await.unwrap();
    let (first, second) = (environment(&store).await, environment(&store).await);
    let held = account(&store, &first).await;
    store.close().await;
    let (one, two) = (first.id, second.id);
    let swap = "SELECT data_key_sealed FROM environments WHERE id =";
    home.run(&format!("UPDATE environments SET data_key_sealed = ({swap} '{one}') WHERE id = '{two}'")).await;
    let both = open(home, &Keys::of(&[&new, &old])).await.unwrap();
    let failed = both.rotate_master_key(&Actor::operator()).await;
    assert!(matches!(failed, Err(StoreError::Corrupt { .. })), "{failed:?}");
    assert!(!both.is_under_first_key().await.unwrap());
    both.close().await;
    assert!(matches!(open(home, &Keys::of(&[&new])).await.err(), Some(StoreError::WrongKey)));
    let again = open(home, &Keys::of(&[&old])).await.unwrap();
    assert_eq!(again.get_account(first.id, held.id).await.unwrap(), Some(held));
}

pub(crate) async fn reading_and_writing_go_on_while_keys_change(home: &Home) {
    let mut present = new_key();
    let keys = Keys::of(&[&present]);
    let (one, two) = (open(home, &keys).await.unwrap(), open(home, &keys).await.unwrap());
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let working: Vec<_> = [&one, &two]
        .map(|store| {
            let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut done = 0;
                while !stop.load(std::sync::atomic::Ordering::Acquire) {
                    let made = environment(&store).await;
                    let account = account(&store, &made).await;
                    assert!(store.get_account(made.id, account.id).await.unwrap().is_some());
                    done += 1;
                }
                done
            })
        })
        .into();
    let command = open(home, &keys).await.unwrap();
    for _ in 0..5 {
        let next = new_key();
        keys.hold(&[&next, &present]);
        let rotated = command.rotate_master_key(&Actor::operator()).await.unwrap();
        assert!(matches!(rotated, Rotated::Done { .. }));
        present = next;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.store(true, std::sync::atomic::Ordering::Release);
    for work in working {
        assert!(work.await.unwrap() > 0);
    }
    keys.hold(&[&present]);
    let fresh = open(home, &keys).await.unwrap();
    for environment in fresh.list_environments().await.unwrap() {
        let accounts = fresh.list_accounts(environment.id, Default::default(), 100, None).await.unwrap();
        assert!(accounts.len() <= 1);
    }
}
