//! Work on large answers, off the threads that serve everybody.

use koine_model::Answer;
use tokio::runtime::{Handle, RuntimeFlavor};

/// From this size of an answer on, reading and mapping it may take long enough for others to notice.
const LARGE: usize = 64 << 10;

/// Does the work. When the answer that it is about is large, the thread is given up by the runtime for as long, so that one
/// vendor's answer holds up nobody else's call.
pub(crate) fn over<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let threads =
        Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes > LARGE && threads { tokio::task::block_in_place(work) } else { work() }
}

/// How large an answer is.
pub(crate) fn size(answer: &Answer) -> usize {
    match answer {
        Answer::Received(response) => response.body.len(),
        Answer::Lost(_) | Answer::NotSent(_) | Answer::Forbidden(_) => 0,
    }
}
