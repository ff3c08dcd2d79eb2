//! What the vendor remembers of someone who is not there any more.

use koine_model::{Effect, Outcome, Response};
use serde_json::Value;

use super::judge::Verdict;
use super::types::{Failure, Mode, Send, Success};
use super::{MOST_READS, Plan, Stage, Step};
use crate::compiled::RequestSpec;

impl Plan {
    /// The target of a write is not there; nothing was sent, and nothing will be.
    pub(super) fn target_missing(&mut self) -> Step<()> {
        let takes_away = self.effect() != Some(Effect::Reactivates);
        if self.ask.mode == Mode::Run && takes_away && self.row.tombstone.is_some() {
            return self.go(Stage::Tombstone).map(|_| ());
        }
        Err(Failure::NotFound)
    }

    /// The answer to the read that shows whom the vendor remembers. Whatever keeps it from telling, there is then
    /// no evidence.
    pub(super) fn tombstone_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        send: Send,
    ) -> Step<()> {
        let again = self.tries + 1 < MOST_READS;
        match verdict {
            Verdict::Good(response) => match self.remembered(spec, &response) {
                // a list goes on
                Ok(None) => Ok(()),
                Ok(Some(Some(record))) if record.is_object() => {
                    self.target = Some(record);
                    self.end(Ok(Success::Write), Some(Outcome::AlreadyGone), None);
                    Ok(())
                }
                _ => Err(Failure::NotFound),
            },
            Verdict::Throttled(_, Some(seconds)) if again => self.again(send, seconds * 1000),
            Verdict::Failed(_) | Verdict::Lost(_) | Verdict::NotSent(_) if again => {
                let delay = 200 << self.tries;
                self.again(send, delay)
            }
            _ => Err(Failure::NotFound),
        }
    }

    fn remembered(&mut self, spec: &RequestSpec, response: &Response) -> Step<Option<Option<Value>>> {
        let row = self.row.clone();
        let call = row.tombstone.as_ref();
        self.whole(spec, call.and_then(|call| call.select.as_ref()), response)
    }
}
