//! What leans most on the database, once more on the other one: accounts, tokens, environments, the log, removals and
//! their idempotency.

macro_rules! again {
    ($($module:ident: $($test:ident),+;)*) => {
        $(mod $module {
            $(
                #[test]
                fn $test() {
                    crate::support::on_postgres(crate::$module::$test);
                }
            )+
        })*
    };
}

again! {
    access: without_a_token_in_force_nothing_is_told, a_token_does_what_its_rights_allow, a_read_only_token_gets_plans, a_token_limited_to_accounts_knows_no_others, its_list_is_paged_by_its_own_accounts, for_another_environment_nothing_exists, an_integrated_account_token_makes_calls_on_its_account_and_nothing_else;
    administration: tokens_are_made_listed_renamed_and_revoked, a_token_makes_none_that_may_do_more, an_environment_is_renamed_and_the_log_says_by_whom;
    bad_input: the_character_nul_is_refused_everywhere, account_contexts;
    faults: two_at_once_execute_once;
    life: a_guard_on_emails_and_the_dash, a_removal_repeated_without_what_only_said_how_is_known;
}
