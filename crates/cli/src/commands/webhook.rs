//! `koine webhook`.

use koine_engine::{DeliveryQuery, Replay, WebhookPatch, WebhookQuery};
use serde_json::Value;
use uuid::Uuid;

use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Tell an address of events; its signing secret is shown once.
    #[command(
        after_help = "Example:\n  koine webhook create https://example.com/koine --event 'integrated_account:*' -o json"
    )]
    Create {
        /// Where deliveries go: https.
        url: String,
        /// Only these events, such as integrated_account:active or integrated_account:*.
        #[arg(long = "event")]
        events: Vec<String>,
        #[command(flatten)]
        within: Within,
    },
    /// All of them.
    List {
        #[command(flatten)]
        within: Within,
    },
    /// Turn one on; what was held while it was off is sent.
    Enable(One),
    /// Turn one off.
    Disable(One),
    /// Forget one with its deliveries.
    Remove(One),
    /// Send the event `test` to one now.
    Test(One),
    /// What became of its deliveries, newest first.
    Deliveries {
        #[command(flatten)]
        one: One,
        /// Only those in this status: pending, held, delivered, failed.
        #[arg(long)]
        status: Option<String>,
        /// Most deliveries to print.
        #[arg(long, default_value_t = 25)]
        limit: u32,
    },
    /// Queue deliveries again.
    #[command(after_help = "Example:\n  koine webhook replay WEBHOOK --since 2026-01-31T00:00:00Z")]
    Replay {
        #[command(flatten)]
        one: One,
        /// This one, whatever became of it.
        #[arg(long, value_name = "ID", conflicts_with = "since", required_unless_present = "since")]
        delivery: Option<Uuid>,
        /// All that failed since this time, ISO 8601.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
}

/// One webhook.
#[derive(clap::Args)]
pub(crate) struct One {
    /// Its id.
    id: Uuid,
    #[command(flatten)]
    within: Within,
}

#[derive(clap::Args)]
pub(crate) struct Within {
    /// The environment; `default` when left out.
    #[arg(long, short)]
    environment: Option<String>,
}

const COLUMNS: &[&str] = &["id", "target_url", "is_active", "event_types", "failing_since", "created_at"];
const DELIVERY: &[&str] = &["id", "event", "status", "tries", "last", "next_at", "created_at"];

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let within = command.within().environment.as_deref();
    let (engine, caller) = open::operator(within).await?;
    match command {
        Command::Create { url, events, .. } => {
            let types = (!events.is_empty()).then_some(events);
            let made = engine.create_webhook(&caller, &url, types, true).await?;
            output::one(format, &made, &[&["secret"], COLUMNS].concat());
        }
        Command::List { .. } => {
            let mut query = WebhookQuery { limit: Some(100), ..WebhookQuery::default() };
            let mut all = Vec::new();
            loop {
                let page = engine.list_webhooks(&caller, query.clone()).await?;
                all.extend(page["result"].as_array().into_iter().flatten().cloned());
                query.next_cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
                if query.next_cursor.is_none() {
                    break;
                }
            }
            output::rows(format, &all, COLUMNS);
        }
        Command::Enable(One { id, .. }) => {
            output::one(format, &engine.patch_webhook(&caller, id, switch(true)).await?, COLUMNS);
        }
        Command::Disable(One { id, .. }) => {
            output::one(format, &engine.patch_webhook(&caller, id, switch(false)).await?, COLUMNS);
        }
        Command::Remove(One { id, .. }) => {
            output::one(format, &engine.delete_webhook(&caller, id).await?, &["id"]);
        }
        Command::Test(One { id, .. }) => {
            output::one(format, &engine.test_webhook(&caller, id).await?, &["success"]);
        }
        Command::Deliveries { one, status, limit } => {
            let query = DeliveryQuery { status, limit: Some(limit), ..DeliveryQuery::default() };
            let mut page = engine.list_deliveries(&caller, one.id, query).await?;
            let mut rows = page["result"].as_array_mut().map(std::mem::take).unwrap_or_default();
            if format == Format::Table {
                rows.iter_mut().for_each(summarise);
            }
            output::rows(format, &rows, DELIVERY);
        }
        Command::Replay { one, delivery, since } => {
            let what = match (delivery, since) {
                (Some(delivery), _) => Replay::One(delivery),
                (None, since) => Replay::FailedSince(since.unwrap_or_default()),
            };
            output::one(format, &engine.replay_deliveries(&caller, one.id, what).await?, &["queued"]);
        }
    }
    Ok(())
}

impl Command {
    fn within(&self) -> &Within {
        match self {
            Self::Create { within, .. } | Self::List { within } => within,
            Self::Enable(one) | Self::Disable(one) | Self::Remove(one) | Self::Test(one) => &one.within,
            Self::Deliveries { one, .. } | Self::Replay { one, .. } => &one.within,
        }
    }
}

fn switch(on: bool) -> WebhookPatch {
    WebhookPatch { is_active: Some(on), ..WebhookPatch::default() }
}

/// For a table: how many attempts, and how the last one went.
fn summarise(delivery: &mut Value) {
    let attempts = delivery["attempts"].as_array().map(Vec::len).unwrap_or_default();
    let last = delivery["attempts"].as_array().and_then(|all| all.last());
    let last = last.map(|last| if last["error"].is_null() { &last["http_status"] } else { &last["error"] });
    delivery["last"] = last.cloned().unwrap_or_default();
    delivery["tries"] = attempts.into();
}
