//! `koine serve`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use koine_engine::Engine;
use koine_server::{Listener, Serving};
use koine_settings::{Setting, SocketAt, TABLE};
use koine_store::Store;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config};
use crate::failure::Failure;
use crate::{open, telemetry};

/// How often a node looks whether the master key was changed.
const KEY_LOOK: Duration = Duration::from_secs(10);

/// The settings that were given as flags, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(BTreeMap<String, String>);

/// The flags follow from the table of settings, which a derive could not read.
impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(TABLE.iter().filter_map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for name in TABLE.iter().filter_map(Setting::flag) {
            if let Some(text) = matches.get_one::<String>(&name) {
                self.0.insert(name, text.clone());
            }
        }
        Ok(())
    }
}

fn flag(setting: &Setting) -> Option<Arg> {
    let name = setting.flag()?;
    let default = setting.default.filter(|default| !default.is_empty());
    let default = default.map_or_else(String::new, |default| format!("; default {default}"));
    let help = format!("{}\n[{}{default}; {}]", setting.summary(), (setting.form)(), setting.variable());
    Some(Arg::new(name.clone()).long(name).value_name("VALUE").allow_hyphen_values(true).help(help))
}

pub(crate) async fn run(flags: Flags) -> Result<(), Failure> {
    let stop = stop();
    let read = config::read(flags.0)?;
    telemetry::start(&read.settings.log, read.settings.log_format)?;
    for warning in &read.warnings {
        tracing::warn!("{warning}");
    }
    let config = Config::of(read)?;
    let engine = open::engine(&config).await?;
    engine.join().await?;
    let settled = engine.settle().await?;
    if settled > 0 {
        tracing::warn!(calls = settled, "settled calls that an earlier run left open");
    }
    let listen = &config.settings.listen;
    let fail = |error: std::io::Error| Failure::other(format!("KOINE_LISTEN {listen}: {error}"));
    let listener = match listen {
        SocketAt::Tcp(address) => Listener::tcp(address).await,
        SocketAt::Unix(path) => Listener::unix(path).await,
    };
    let listener = listener.map_err(fail)?;
    println!("listening on {}", listener.url().map_err(fail)?);
    let serving = Serving {
        shutdown_grace: config.settings.shutdown_grace.get(),
        trusted_proxies: config.settings.trusted_proxies.ranges().to_vec(),
        site: config.site(),
    };
    serve(listener, engine, serving, stop).await.map_err(fail)
}

/// Serves, settles what other nodes leave behind meanwhile, and delivers events. At the end calls finish first: they may
/// still make events.
pub(crate) async fn serve(
    listener: impl Into<Listener>,
    engine: Engine,
    serving: Serving,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (serving_on, over) = tokio::sync::oneshot::channel::<()>();
    let mut deliveries = tokio::spawn({
        let engine = engine.clone();
        async move { engine.deliver(async { drop(over.await) }).await }
    });
    let served = tokio::select! {
        served = koine_server::serve(listener, engine.clone(), serving, stop) => served,
        never = engine.keep_settling() => never,
        never = watch_key(Arc::clone(engine.store())) => never,
        // Whoever watches over this process starts it again; one that tells nobody of events would go unnoticed.
        ended = &mut deliveries => Err(early(ended)),
    };
    drop(serving_on);
    if !deliveries.is_finished()
        && let Err(error) = deliveries.await.map_err(std::io::Error::other).flatten()
    {
        tracing::error!(%error, "deliveries broke off");
    }
    engine.leave().await;
    served
}

/// Why deliveries ended before the end.
fn early(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> std::io::Error {
    let why = match ended.map_err(std::io::Error::other).flatten() {
        Ok(()) => "nothing told them to".to_owned(),
        Err(error) => error.to_string(),
    };
    std::io::Error::other(format!("deliveries of events ended: {why}"))
}

/// Takes a new master key soon after the database is under it, and at SIGHUP at once: what needs it before that asks by
/// itself.
async fn watch_key<T>(store: Arc<dyn Store>) -> std::io::Result<T> {
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let pause = tokio::time::sleep(KEY_LOOK);
        tokio::select! {
            () = pause => {}
            _ = hangup.recv() => {}
        }
        if let Err(error) = store.notice_master_key().await {
            tracing::error!(error = %error, "the master key was changed, and this node has not the new one");
        }
    }
}

/// Ends with SIGTERM or SIGINT. They are listened to from the call on, so that a signal that comes before the first poll ends
/// the program as cleanly as a later one.
pub(crate) fn stop() -> impl Future<Output = ()> + Send + 'static {
    let signals = signal(SignalKind::terminate()).and_then(|one| Ok((one, signal(SignalKind::interrupt())?)));
    async move {
        let Ok((mut terminate, mut interrupt)) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
