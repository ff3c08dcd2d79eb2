//! Counting the changes that were noticed.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many changes were noticed so far.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// One more.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Something that others keep was, or is about to be, changed by this process: noted when the value goes, so that a
    /// write that is given up half-way counts too.
    pub(crate) fn change(&self) -> Change<'_> {
        Change(self)
    }
}

/// A change under way.
pub(crate) struct Change<'a>(&'a Count);

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.note();
    }
}
