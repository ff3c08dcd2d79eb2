//! Deliveries: events on their way to webhooks, again and again until they are taken.
//!
//! The queue is the store's: a delivery is written with its event, and a node takes it under a lease that ends by itself.
//! So an event is delivered at least once, whatever crashes; a receiver may see one twice, with the same id. An apalis
//! worker runs what is taken; a failed attempt goes back to the store with the time of the next one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use apalis_core::worker::event::Event;
use apalis_core::worker::ext::event_listener::EventListenerExt;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use koine_store::{DueDelivery, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Engine;

/// Most deliveries under way on a node, one for a webhook.
const MOST: usize = 64;
/// How soon an event of another process is noticed. One of this process wakes us.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);
/// How much longer a lease is than an attempt may take: time to record it.
const TO_RECORD: Duration = Duration::from_secs(5);
/// How long events and deliveries are kept.
const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often older ones are looked for.
const CLEANING: Duration = Duration::from_secs(3600);

impl Engine {
    /// Delivers events until `stop` completes, then lets the attempts under way end. Any number of nodes may do so.
    ///
    /// # Errors
    /// When the worker cannot go on, which nothing that a store or a receiver does brings about.
    pub async fn deliver(&self, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let worker = WorkerContext::new("deliveries");
        let taken = Taking::new(self.clone(), worker.clone(), stop).into_stream();
        let running = WorkerBuilder::new(worker)
            .backend(taken)
            .data(self.clone())
            .parallelize(tokio::spawn)
            .on_event(|_, event| {
                if let Event::Error(error) = event {
                    tracing::error!(%error, "an attempt of a delivery broke off");
                }
            })
            .build(attempt)
            .run();
        // Boxed here, where the compiler still knows that its parts may go to another thread.
        running.boxed().await.map_err(std::io::Error::other)
    }
}

/// A delivery that is ours until its lease ends, and its place among those under way.
struct Taken {
    due: DueDelivery,
    _place: OwnedSemaphorePermit,
}

async fn attempt(taken: Taken, engine: Data<Engine>) {
    engine.attempt(&taken.due).await;
    drop(taken);
    // The webhook's next delivery waited for this one.
    engine.memory.wake.notify_one();
}

/// Takes due deliveries from the store, as many as there are places for.
struct Taking {
    engine: Engine,
    worker: WorkerContext,
    places: Arc<Semaphore>,
    stop: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    cleaned: Option<Instant>,
}

impl Taking {
    fn new(engine: Engine, worker: WorkerContext, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let places = Arc::new(Semaphore::new(MOST));
        Self { engine, worker, places, stop: Box::pin(stop), cleaned: None }
    }

    /// Ends when we are to stop. What was taken before is attempted: nobody else would, until its lease ends.
    fn into_stream(self) -> BoxStream<'static, Result<Taken, Infallible>> {
        let batches = stream::unfold(self, async |mut taking| {
            let batch = taking.next().await?;
            Some((stream::iter(batch).map(Ok), taking))
        });
        batches.flatten().boxed()
    }

    /// The next ones that are due, once there are any.
    async fn next(&mut self) -> Option<Vec<Taken>> {
        loop {
            if self.stop.as_mut().now_or_never().is_some() {
                return self.end();
            }
            self.clean().await;
            let (batch, pause) = self.take_due().await.unwrap_or_else(|error| {
                tracing::error!(%error, "deliveries cannot be read");
                (Vec::new(), NOTICED_WITHIN)
            });
            if !batch.is_empty() {
                return Some(batch);
            }
            tokio::select! {
                biased;
                () = &mut self.stop => return self.end(),
                () = self.engine.memory.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// A worker whose tasks have run out waits for being told to stop.
    fn end<T>(&self) -> Option<T> {
        if let Err(error) = self.worker.stop() {
            tracing::error!(%error, "the worker of deliveries does not stop");
        }
        None
    }

    /// What is due now, or how long to wait before looking again.
    async fn take_due(&mut self) -> Result<(Vec<Taken>, Duration), StoreError> {
        let store = &self.engine.parts.store;
        let mut places: Vec<_> =
            std::iter::from_fn(|| Arc::clone(&self.places).try_acquire_owned().ok()).collect();
        if places.is_empty() {
            return Ok((Vec::new(), NOTICED_WITHIN));
        }
        // Reading first: looking for work writes nothing while there is none.
        let next = store.next_delivery().await?.unwrap_or(NOTICED_WITHIN);
        if !next.is_zero() {
            return Ok((Vec::new(), next.min(NOTICED_WITHIN)));
        }
        let lease = self.engine.receivers().timeout + TO_RECORD;
        let due = store.claim_deliveries(u32::try_from(places.len()).unwrap_or(u32::MAX), lease).await?;
        let taken = due.into_iter().map_while(|due| Some(Taken { due, _place: places.pop()? })).collect();
        // None: what is due waits for a lease, ours (whose end wakes us) or another node's.
        Ok((taken, NOTICED_WITHIN))
    }

    async fn clean(&mut self) {
        if self.cleaned.is_some_and(|at| at.elapsed() < CLEANING) {
            return;
        }
        self.cleaned = Some(Instant::now());
        match self.engine.parts.store.forget_events(HISTORY).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(events.forgotten = forgotten, "forgot old events"),
            Err(error) => tracing::error!(%error, "old events cannot be forgotten"),
        }
    }
}
