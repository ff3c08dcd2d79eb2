//! What is told of accounts.

use koine_store::DeliveryFilter;

use super::setting::Setting;

impl Setting {
    /// From now on somebody wants to hear of accounts that need their owner, and of those that do no more.
    pub(super) async fn listen(&self) {
        let types = ["authentication_error", "reactivated"].map(|name| format!("integrated_account:{name}"));
        // Nobody is there: what is told is looked up where it waits.
        let target = "https://127.0.0.1:9/";
        self.engine.create_webhook(&self.caller(), target, Some(types.to_vec()), true).await.unwrap();
    }

    /// What was told since, in order.
    pub(super) async fn told(&self) -> Vec<String> {
        let (store, here) = (self.engine.store(), self.caller().environment_id());
        let all = store.list_deliveries(here, DeliveryFilter::default(), 100, None).await.unwrap();
        all.into_iter().rev().map(|delivery| delivery.event).collect()
    }
}
