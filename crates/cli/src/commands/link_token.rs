//! `koine link-token`.

use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a link for a customer who connects an account on the page of the gateway. It works once, for seven days.
    #[command(
        after_help = "Examples:\n  koine link-token create --tenant acme --integration okta\n  koine link-token create --account ID --keep"
    )]
    Create(Create),
}

/// What the link is for.
#[derive(clap::Args)]
pub(crate) struct Create {
    /// The customer, for a new account.
    #[arg(long, required_unless_present = "account")]
    tenant: Option<String>,
    /// The account to connect again, in place of a new one.
    #[arg(long, conflicts_with = "tenant")]
    account: Option<Uuid>,
    /// Connecting again keeps what the account had and the customer leaves empty.
    #[arg(long, requires = "account")]
    keep: bool,
    /// The only connector to choose; may be repeated.
    #[arg(long = "integration", value_name = "CONNECTOR")]
    integrations: Vec<String>,
    /// Credential fields as JSON that the customer is not asked for.
    #[arg(long)]
    context: Option<String>,
    /// Where the customer goes afterwards.
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The environment; `default` when left out.
    #[arg(long, short)]
    environment: Option<String>,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::Create(asked) = command;
    let config = Config::read()?;
    let (engine, caller) = open::operator(asked.environment.as_deref()).await?;
    if let Some(name) = asked.integrations.iter().find(|name| engine.label(name).is_none()) {
        return Err(Failure::not_found(format!("there is no connector `{name}`")));
    }
    let context = asked.context.as_deref().map(serde_json::from_str::<Map<String, Value>>).transpose();
    let context =
        context.map_err(|error| Failure::usage(format!("--context is not a JSON object: {error}")))?;
    let body = json!({"tenant_id": asked.tenant, "integrated_account_id": asked.account, "context": context,
                      "redirect_uri": asked.redirect_uri, "persist_previous_context": asked.keep});
    let body = body.as_object().cloned().unwrap_or_default();
    let made = engine.create_link_token(&caller, &body).await?;
    let token = made["link_token"].as_str().unwrap_or_default();
    let url = page(&config.page_base(), token, &asked.integrations);
    output::one(format, &json!({"url": url, "link_token": token}), &["url"]);
    Ok(())
}

/// The address of the page that the link opens.
pub(crate) fn page(base: &Url, token: &str, integrations: &[String]) -> String {
    let text = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let only = match integrations {
        [] => String::new(),
        [one] => format!("&integration={}", text(one)),
        many => format!("&integrations={}", many.iter().map(|one| text(one)).collect::<Vec<_>>().join(",")),
    };
    let base = base.as_str().trim_end_matches('/');
    format!("{base}/connect-account?link_token={}{only}", text(token))
}
