//! The one behavioural suite: functions over `Arc<dyn Store>`, run against every backend.
//!
//! Another backend is one more line under `backends!`. What looks into SQLite's own file is in `at_rest`.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exemption covers test functions, not the functions they share"
)]

mod accounts;
mod at_rest;
mod environments;
mod fixtures;
mod idempotency;
mod journal;
mod leases;
mod reopening;
mod tokens;
mod versions;

/// Runs each function once per backend, on a fresh store.
macro_rules! backends {
    ($($backend:ident => $home:expr;)*) => {
        $(backend!($backend, $home);)*
    };
}

macro_rules! suite {
    ($($module:ident: $($test:ident),+;)*) => {
        macro_rules! backend {
            ($backend:ident, $home:expr) => {
                mod $backend {
                    $($(
                        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                        async fn $test() {
                            let home = $home;
                            super::$module::$test(home.open().await).await;
                        }
                    )+)*
                }
            };
        }
    };
}

suite! {
    environments: environments_are_found_and_unique, audit_keeps_order;
    tokens: tokens_are_found_by_secret, expired_and_revoked_tokens_are_not_found, tokens_need_an_environment;
    accounts: accounts_are_stored_and_changed, foreign_accounts_are_invisible, accounts_are_listed_in_pages,
        debug_hides_credentials;
    idempotency: concurrent_calls_start_once, another_request_under_a_key_mismatches, answers_are_replayed,
        released_keys_start_again, keys_count_per_account_path_and_environment, unstarted_calls_are_released;
    versions: own_changes_make_a_new_version_at_once;
    leases: a_lease_is_held_by_one_until_released, of_many_at_once_one_gets_the_lease,
        a_lease_whose_time_is_over_is_free, renewing_prolongs;
    journal: intents_stay_open_until_finished, first_snapshot_is_kept, finished_calls_take_no_intent,
        attempts_are_evidence, calls_show_their_exchanges, unknown_calls_are_errors;
}

backends! {
    sqlite_file => crate::fixtures::Home::file();
    sqlite_memory => crate::fixtures::Home::memory();
}
