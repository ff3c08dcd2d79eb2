//! Answers to the steps before and after a destructive main request.

use koine_model::{Outcome, Response};
use serde_json::Value;

use super::gather::Gathered;
use super::judge::Verdict;
use super::types::{Failure, Refusal, Success};
use super::{MOST_SENDS, Plan, Stage, Step, broken};
use crate::compiled::RequestSpec;

impl Plan {
    /// The answer to a destructive step before the main request.
    pub(super) fn destructive_step_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        index: usize,
    ) -> Step<()> {
        let row = self.row.clone();
        let step = row.before.get(index);
        let waits = step.is_some_and(|step| step.wait.is_some());
        let again = self.tries + 1 < MOST_SENDS;
        match verdict {
            Verdict::Good(response) => {
                self.changed = true;
                self.step_succeeded(spec, step, response, index)
            }
            // Whatever became of it, the wait reads the truth; without one nobody can tell.
            Verdict::Lost(why) | Verdict::Failed(Refusal { message: Some(why), .. }) if waits => {
                self.unsure = Some(why);
                self.go(Stage::BeforeWait(index, 0)).map(|_| ())
            }
            Verdict::Failed(_) if waits => {
                self.unsure = Some("the vendor failed".to_owned());
                self.go(Stage::BeforeWait(index, 0)).map(|_| ())
            }
            Verdict::Lost(_) if again && spec.idempotent => self.later(300),
            Verdict::NotSent(_) if again => self.later(300),
            Verdict::Throttled(_, Some(seconds)) if again => self.later(seconds * 1000),
            Verdict::Lost(why) => Err(Failure::Uncertain(why)),
            Verdict::NotSent(why) => Err(Failure::Unreachable(why)),
            Verdict::Forbidden(why) => Err(Failure::AddressRefused(why)),
            Verdict::NotFound(refusal)
            | Verdict::Refused(refusal)
            | Verdict::Failed(refusal)
            | Verdict::Throttled(refusal, _) => {
                if step.is_some_and(|step| step.optional) {
                    return self.go(Stage::Before(index + 1)).map(|_| ());
                }
                Err(Failure::Vendor(refusal))
            }
        }
    }

    /// A poll between steps.
    pub(super) fn wait_answered(
        &mut self,
        spec: &RequestSpec,
        response: &Response,
        not_found: bool,
    ) -> Step<()> {
        let Stage::BeforeWait(index, tries) = self.stage else { return Ok(()) };
        let row = self.row.clone();
        let wait = row.before.get(index).and_then(|step| step.wait.as_ref());
        let Some(wait) = wait else { return Ok(()) };
        let record = match not_found {
            true => None,
            false => match self.whole(spec, wait.call.select.as_ref(), response)? {
                None => return Ok(()),
                Some(record) => record,
            },
        };
        let scope = self.answer_scope(response, record.unwrap_or(Value::Null), not_found);
        if wait.until.test(&scope).map_err(|error| broken("wait.until", &error))? {
            self.unsure = None;
            self.changed = true;
            return self.go(Stage::Before(index + 1)).map(|_| ());
        }
        if tries + 1 < wait.tries {
            self.stage = Stage::BeforeWait(index, tries + 1);
            self.gathered = Gathered::default();
            self.tries = 0;
            self.delay_ms = wait.delay_ms;
            return Ok(());
        }
        if let Some(why) = self.unsure.clone() {
            return Err(Failure::Uncertain(format!("{why}; reading back does not show its effect")));
        }
        self.end(
            Ok(Success::Write),
            Some(Outcome::Pending),
            Some("the vendor still works on the first step".to_owned()),
        );
        Ok(())
    }

    /// The answer to a step that changes something after the removal. The removal is done whatever becomes of
    /// it; a step that may have arrived is sent again only if it is idempotent.
    pub(super) fn after_step_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        index: usize,
    ) -> Step<()> {
        let again = self.tries + 1 < MOST_SENDS;
        let why = match verdict {
            Verdict::Good(response) => {
                let main = self.row.after.get(index).is_some_and(|step| step.main);
                if main {
                    self.keep_main(response);
                }
                return self.go(Stage::After(index + 1)).map(|_| ());
            }
            Verdict::Throttled(_, Some(seconds)) if again => return self.later(seconds * 1000),
            Verdict::NotSent(_) if again => return self.later(300 << self.tries),
            Verdict::Lost(_) | Verdict::Failed(_) if again && spec.idempotent => {
                return self.later(300 << self.tries);
            }
            Verdict::Lost(why) | Verdict::NotSent(why) | Verdict::Forbidden(why) => why,
            Verdict::NotFound(refusal)
            | Verdict::Refused(refusal)
            | Verdict::Failed(refusal)
            | Verdict::Throttled(refusal, _) => {
                refusal.message.unwrap_or_else(|| format!("the vendor answered {}", refusal.response.status))
            }
        };
        self.aftermath.get_or_insert(format!("done, but the step `{}` after it was not: {why}", spec.name));
        self.go(Stage::After(index + 1)).map(|_| ())
    }

    fn later(&mut self, delay_ms: u64) -> Step<()> {
        self.tries += 1;
        self.delay_ms = delay_ms;
        Ok(())
    }
}
