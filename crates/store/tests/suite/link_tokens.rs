//! Link tokens: used up with the account that is saved, never without, never twice.

use std::sync::Arc;

use koine_store::{
    AccountChange, AccountFilter, Actor, AuditFilter, Environment, GrantChange, LinkAnnounce, LinkSession,
    Linked, LinkedAccount, MOST_LINK_ATTEMPTS, NewLinkToken, Store, StoreError,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::{CREDENTIAL, account, environment};

fn new_link(environment: &Environment) -> NewLinkToken {
    NewLinkToken {
        environment_id: environment.id,
        tenant_id: Some("acme".to_owned()),
        account_id: None,
        options: json!({"redirect_uri": "https://app.example.com"}),
        context: json!({"api_key": CREDENTIAL}),
    }
}

/// Nobody listens.
const QUIET: LinkAnnounce<'static> = LinkAnnounce { created: &|_| Vec::new(), updated: &|_| Vec::new() };

fn by() -> Actor {
    Actor { name: "link_token:1".to_owned(), source: "192.0.2.1".to_owned() }
}

fn typed(connector: &str) -> LinkedAccount {
    LinkedAccount {
        connector: connector.to_owned(),
        authentication_method: "api_key".to_owned(),
        context: json!({"api_key": "typed"}),
        grant: GrantChange::Drop,
    }
}

async fn opened(store: &Arc<dyn Store>, secret: &str) -> (Uuid, String) {
    store.open_link(secret, json!({"no_back": true})).await.unwrap().unwrap()
}

async fn session(store: &Arc<dyn Store>, (id, secret): &(Uuid, String)) -> LinkSession {
    store.link_session(*id, secret).await.unwrap().unwrap()
}

/// A link and a browser that opened it.
async fn visit(store: &Arc<dyn Store>, new: NewLinkToken) -> (String, LinkSession) {
    let (_, secret) = store.create_link_token(new, &by()).await.unwrap();
    let opened = opened(store, &secret).await;
    let session = session(store, &opened).await;
    (secret, session)
}

async fn save(store: &Arc<dyn Store>, session: &LinkSession) -> Linked {
    store.save_linked_account(session, typed("okta"), &by(), QUIET).await.unwrap()
}

async fn accounts(store: &Arc<dyn Store>, environment: &Environment) -> usize {
    store.list_accounts(environment.id, AccountFilter::default(), 10, None).await.unwrap().len()
}

pub(crate) async fn a_link_is_opened_and_used_once(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (id, secret) = store.create_link_token(new_link(&home), &by()).await.unwrap();
    assert!(secret.starts_with("koine_link_") && secret.len() == "koine_link_".len() + 43, "256 bits");
    assert_eq!(store.open_link("koine_link_other", json!({})).await.unwrap(), None);

    let browser = opened(&store, &secret).await;
    let session = session(&store, &browser).await;
    assert_eq!((session.link_id, session.environment_id), (id, home.id));
    assert_eq!(session.context, json!({"api_key": CREDENTIAL}));
    assert_eq!(session.options, json!({"no_back": true}));
    assert_eq!((session.is_used_elsewhere, session.saved_account_id), (false, None));
    assert!(!format!("{session:?}").contains(CREDENTIAL));
    assert_eq!(store.link_session(browser.0, "other").await.unwrap(), None);
    assert_eq!(store.link_session(Uuid::now_v7(), &browser.1).await.unwrap(), None);

    let Linked::Created(made) = save(&store, &session).await else { panic!("no account") };
    assert_eq!((made.status.as_str(), made.tenant_id.as_str()), ("connecting", "acme"));
    assert_eq!(store.get_account(home.id, made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(store.open_link(&secret, json!({})).await.unwrap(), None, "used up");
    let session = store.link_session(browser.0, &browser.1).await.unwrap().unwrap();
    assert_eq!(session.saved_account_id, Some(made.id));
    let nowhere = NewLinkToken { environment_id: Uuid::nil(), ..new_link(&home) };
    assert!(matches!(store.create_link_token(nowhere, &by()).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn two_browsers_make_one_account(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (secret, first) = visit(&store, new_link(&home)).await;
    let browser = opened(&store, &secret).await;
    let second = session(&store, &browser).await;
    let (one, other) = tokio::join!(save(&store, &first), save(&store, &second));
    assert_eq!(accounts(&store, &home).await, 1, "{one:?} {other:?}");
    let created = |linked: &Linked| matches!(linked, Linked::Created(_));
    assert!(created(&one) != created(&other), "{one:?} {other:?}");
    assert!(one == Linked::Spent || other == Linked::Spent, "{one:?} {other:?}");
    if created(&one) {
        assert!(session(&store, &browser).await.is_used_elsewhere);
    }
}

pub(crate) async fn who_saved_may_try_again(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (_, session) = visit(&store, new_link(&home)).await;
    let (one, other) = tokio::join!(save(&store, &session), save(&store, &session));
    assert_eq!(accounts(&store, &home).await, 1, "a double click: {one:?} {other:?}");
    let Linked::Updated(again) =
        store.save_linked_account(&session, typed("box"), &by(), QUIET).await.unwrap()
    else {
        panic!("another vendor after a failure")
    };
    assert_eq!((again.connector.as_str(), again.status.as_str()), ("box", "connecting"));
    let active = AccountChange { status: Some("active".to_owned()), ..AccountChange::default() };
    store.update_account(home.id, again.id, active).await.unwrap();
    assert_eq!(save(&store, &session).await, Linked::Settled, "what is active stays");
    let kept = store.get_account(home.id, again.id).await.unwrap().unwrap();
    assert_eq!((kept.connector.as_str(), kept.status.as_str()), ("box", "active"));
    assert!(store.delete_account(home.id, again.id).await.unwrap());
    assert_eq!(save(&store, &session).await, Linked::Settled);
    assert_eq!(accounts(&store, &home).await, 0, "what is gone does not come back");
}

pub(crate) async fn a_reconnect_changes_its_account_only(store: Arc<dyn Store>) {
    let (home, foreign) = (environment(&store).await, environment(&store).await);
    let (known, theirs) = (account(&store, &home).await, account(&store, &foreign).await);
    let again = |id| NewLinkToken { account_id: Some(id), tenant_id: None, ..new_link(&home) };

    let (secret, session) = visit(&store, again(known.id)).await;
    let other = store.save_linked_account(&session, typed("box"), &by(), QUIET).await.unwrap();
    assert_eq!(other, Linked::Settled, "another vendor is another account");
    assert!(store.open_link(&secret, json!({})).await.unwrap().is_some(), "nothing saved, nothing used up");
    let Linked::Updated(changed) = save(&store, &session).await else { panic!("not changed") };
    assert_eq!((changed.id, changed.tenant_id.as_str()), (known.id, "acme"));
    assert_eq!((changed.context, changed.status.as_str()), (json!({"api_key": "typed"}), "connecting"));
    assert_eq!(store.open_link(&secret, json!({})).await.unwrap(), None);

    let (_, session) = visit(&store, again(theirs.id)).await;
    assert_eq!(save(&store, &session).await, Linked::Settled);
    assert_eq!(store.get_account(foreign.id, theirs.id).await.unwrap(), Some(theirs));
}

pub(crate) async fn links_end(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (secret, _) = visit(&store, new_link(&home)).await;
    let stranger = LinkSession { id: Uuid::now_v7(), ..visit(&store, new_link(&home)).await.1 };
    assert_eq!(save(&store, &stranger).await, Linked::Spent, "no such session");
    assert_eq!(store.open_link(&secret.to_uppercase(), Value::Null).await.unwrap(), None);
    assert_eq!(accounts(&store, &home).await, 0);
}

pub(crate) async fn tries_are_bounded(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (_, session) = visit(&store, new_link(&home)).await;
    for _ in 0..MOST_LINK_ATTEMPTS {
        assert!(!matches!(save(&store, &session).await, Linked::Spent));
    }
    assert_eq!(save(&store, &session).await, Linked::Spent);
}

pub(crate) async fn a_grant_goes_with_what_it_was_for(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (_, session) = visit(&store, new_link(&home)).await;
    let with = |grant| LinkedAccount { grant, ..typed("okta") };
    let consent = json!({"access_token": CREDENTIAL});
    let Linked::Created(made) = store
        .save_linked_account(&session, with(GrantChange::Set(consent.clone())), &by(), QUIET)
        .await
        .unwrap()
    else {
        panic!("no account")
    };
    let grant = async || store.find_grant(home.id, made.id).await.unwrap().map(|grant| grant.content);
    assert_eq!(grant().await, Some(consent.clone()));
    store.save_linked_account(&session, with(GrantChange::Keep), &by(), QUIET).await.unwrap();
    assert_eq!(grant().await, Some(consent));
    let next = json!({"access_token": "next"});
    store.save_linked_account(&session, with(GrantChange::Set(next.clone())), &by(), QUIET).await.unwrap();
    assert_eq!(grant().await, Some(next));
    store.save_linked_account(&session, with(GrantChange::Drop), &by(), QUIET).await.unwrap();
    assert_eq!(grant().await, None);
    assert!(!format!("{:?}", with(GrantChange::Set(json!(CREDENTIAL)))).contains(CREDENTIAL));
}

pub(crate) async fn links_are_in_the_audit_log(store: Arc<dyn Store>) {
    let home = environment(&store).await;
    let (_, session) = visit(&store, new_link(&home)).await;
    save(&store, &session).await;
    save(&store, &session).await;
    let filter = AuditFilter { environment_id: Some(home.id), ..AuditFilter::default() };
    let log = store.list_audit(filter, 10, None).await.unwrap();
    let told: Vec<_> = log.iter().map(|one| (one.entry.action.as_str(), &one.entry.actor)).collect();
    assert!(
        told.starts_with(&[
            ("account.update", &by()),
            ("account.create", &by()),
            ("link_token.create", &by())
        ]),
        "{told:?}"
    );
    let link = log[2].entry.after.clone().unwrap();
    assert_eq!((&link["tenant_id"], &link["context_fields"]), (&json!("acme"), &json!(["api_key"])));
    assert!(!format!("{log:?}").contains(CREDENTIAL) && !format!("{log:?}").contains("typed"));
}
