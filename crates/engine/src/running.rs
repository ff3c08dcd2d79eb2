//! A call that this process runs. However it ends, by a panic too or because the database is away, it does not stay its
//! own: what nobody runs is abandoned, and settled like a dead node's.

use std::sync::Arc;
use std::time::Duration;

use koine_model::Error;
use koine_store::{Finish, Store};
use uuid::Uuid;

use crate::Engine;

/// How long to wait before a call that could not be abandoned is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Abandons its call when it is dropped before [`Self::finish`] succeeded.
pub(crate) struct Running<'a> {
    engine: &'a Engine,
    call: Uuid,
    finished: bool,
}

impl<'a> Running<'a> {
    pub(crate) fn new(engine: &'a Engine, call: Uuid) -> Self {
        Self { engine, call, finished: false }
    }

    /// Closes the call in the journal.
    pub(crate) async fn finish(mut self, finish: Finish) -> Result<(), Error> {
        self.engine.parts.store.finish_call(self.call, finish).await.map_err(Error::internal)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // Without a runtime the process is about to end, and its lease with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(abandon(Arc::clone(&self.engine.parts.store), self.call));
        }
    }
}

async fn abandon(store: Arc<dyn Store>, call: Uuid) {
    while let Err(error) = store.abandon_call(call).await {
        tracing::warn!(call.id = %call, error = %error, "a call that broke off could not be abandoned yet");
        tokio::time::sleep(PAUSE).await;
    }
}
