//! The one behavioural suite: functions over an `Arc<dyn Store>`, or over its home, run against every backend. Those on
//! PostgreSQL do nothing without a server; `tools/postgres` starts one.
//!
//! A new function is a name in one of the two lists below; a backend is one more module after them.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exemption covers test functions, not the functions they share"
)]

mod accounts;
mod administration;
mod archive;
mod at_rest;
mod deliveries;
mod environments;
mod fixtures;
mod idempotency;
mod journal;
mod keys;
mod leases;
mod link_tokens;
mod nodes;
mod oauth;
mod reopening;
mod tokens;
mod versions;
mod webhooks;

/// Functions over an open store.
macro_rules! on_a_store {
    ($($module:ident: $($test:ident),+;)*) => {
        macro_rules! on_a_store_at {
            ($home:expr) => {
                $($(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $test() {
                        let Some(home) = $home else { return };
                        crate::$module::$test(home.open().await).await;
                    }
                )+)*
            };
        }
    };
}

/// Functions over a place that can be opened again, and twice at a time.
macro_rules! on_a_home {
    ($($module:ident: $($test:ident),+;)*) => {
        macro_rules! on_a_home_at {
            ($home:expr) => {
                $($(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $test() {
                        let Some(home) = $home else { return };
                        crate::$module::$test(&home).await;
                    }
                )+)*
            };
        }
    };
}

on_a_store! {
    environments: environments_are_found_and_unique;
    administration: every_change_is_in_the_log, what_did_not_happen_is_not_in_the_log,
        the_log_is_filtered_and_paged, appending_at_once_keeps_the_chain, account_tokens_end_with_their_issuer,
        uses_are_noted, installation_keys_stay;
    tokens: tokens_are_found_by_secret, expired_and_revoked_tokens_are_not_found, tokens_need_an_environment;
    accounts: accounts_are_stored_and_changed, foreign_accounts_are_invisible, accounts_are_listed_in_pages,
        debug_hides_credentials;
    idempotency: concurrent_calls_start_once, another_request_under_a_key_mismatches, answers_are_replayed,
        released_keys_start_again, keys_count_per_account_path_and_environment, unstarted_calls_are_released;
    webhooks: events_queue_one_delivery_for_whoever_wants_them, account_changes_and_their_events_are_one,
        token_changes_are_announced, webhooks_are_stored_and_changed, an_environment_has_so_many_webhooks,
        foreign_webhooks_are_invisible, debug_hides_secrets;
    deliveries: a_lease_keeps_others_off, a_lease_ends, deliveries_come_in_order_one_at_a_time,
        a_slower_twin_changes_nothing, failures_are_logged_and_tried_again, nothing_reached_turns_off,
        a_success_forgets_failures, who_fails_is_left_alone, what_is_off_is_held, replays_queue_again,
        single_deliveries_are_not_queued, old_events_are_forgotten;
    link_tokens: a_link_is_opened_and_used_once, two_browsers_make_one_account, who_saved_may_try_again,
        a_reconnect_changes_its_account_only, links_end, tries_are_bounded,
        a_grant_goes_with_what_it_was_for, links_are_in_the_audit_log;
    versions: own_changes_make_a_new_version_at_once;
    leases: a_lease_is_held_by_one_until_released, of_many_at_once_one_gets_the_lease,
        a_lease_whose_time_is_over_is_free, renewing_prolongs;
    oauth: an_environment_has_one_app_for_a_connector, a_consent_is_taken_once_by_its_browser,
        a_consent_has_its_time, a_grant_is_replaced_by_who_knows_it, debug_hides_what_oauth_keeps,
        an_account_changes_only_from_the_status_it_was_seen_in;
    nodes: calls_of_living_nodes_are_left_alone, a_node_whose_lease_is_over_may_not_send,
        one_call_at_a_time_has_a_lock, of_many_calls_at_once_one_gets_the_lock, locks_end_with_their_call,
        tidying_keeps_what_counts;
    journal: intents_stay_open_until_finished, first_snapshot_is_kept, finished_calls_take_no_intent,
        attempts_are_evidence, calls_show_their_exchanges, unknown_calls_are_errors;
}

on_a_home! {
    archive: an_installation_moves_and_comes_back,
        what_is_wrong_with_a_file_is_told_and_nothing_of_it_is_kept, every_table_is_exported_or_stays_on_purpose;
    at_rest: secrets_are_not_readable, tampered_contexts_are_corrupt, swapped_contexts_are_corrupt,
        accounts_moved_to_another_environment_are_corrupt, swapped_data_keys_are_corrupt,
        a_removed_key_check_does_not_open_the_door, keys_count_for_a_day, a_changed_audit_log_is_noticed,
        a_link_and_its_sessions_end_with_their_time;
    oauth: late_consents_are_dropped;
    keys: nodes_take_the_new_key_as_they_run,
        a_node_without_the_new_key_keeps_what_is_open_and_spoils_nothing,
        a_rotation_that_fails_half_way_changes_nothing, reading_and_writing_go_on_while_keys_change;
    reopening: state_survives_reopening, intents_survive_a_crash, two_processes_start_a_key_once,
        another_master_key_is_refused, a_newer_schema_is_refused, two_may_open_a_new_database_at_once;
    versions: changes_by_others_are_noticed, a_closed_store_has_no_version_to_believe;
}

mod sqlite_memory {
    on_a_store_at!(crate::fixtures::Home::memory());
}

mod sqlite_file {
    on_a_store_at!(crate::fixtures::Home::file());
    on_a_home_at!(crate::fixtures::Home::file());
}

mod postgres {
    on_a_store_at!(crate::fixtures::Home::postgres());
    on_a_home_at!(crate::fixtures::Home::postgres());
}
