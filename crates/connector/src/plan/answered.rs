//! What the answer to a destructive main request says.

use koine_model::{Effect, Outcome, Response};
use serde_json::Value;

use super::judge::Verdict;
use super::types::{Failure, Refusal, Success};
use super::{MOST_SENDS, Plan, Stage, Step, Why};
use crate::compiled::Row;

impl Plan {
    /// The answer to a destructive main request.
    pub(super) fn main_answered(&mut self, verdict: Verdict) -> Step<()> {
        let row = &*self.row.clone();
        match verdict {
            Verdict::Good(response) => {
                let nothing = self.unsure.is_none() && self.says_already_gone(row, &response);
                if !row.before.iter().any(|step| step.main) {
                    self.keep_main(response);
                }
                if nothing {
                    return if row.verify.is_some() { self.read_back(Why::Absent) } else { self.absent() };
                }
                self.changed = true;
                if self.ask.verify && row.verify.is_some() {
                    return self.read_back(Why::Confirm);
                }
                self.go(Stage::After(0)).map(|_| ())
            }
            Verdict::NotFound(refusal) => self.nothing_there(row, refusal),
            Verdict::Refused(refusal) => {
                if self.says_less(row, &refusal.response) {
                    self.did_less = true;
                    self.refusal = Some(refusal);
                    return self.read_back(Why::Confirm);
                }
                if self.says_already_gone(row, &refusal.response) {
                    self.nothing_there(row, refusal)
                } else {
                    self.refused(row, refusal)
                }
            }
            Verdict::Throttled(refusal, wait) => match wait.filter(|_| self.main_sends < MOST_SENDS) {
                Some(seconds) => {
                    self.delay_ms = seconds * 1000;
                    Ok(())
                }
                None => self.refused(row, refusal),
            },
            Verdict::Failed(refusal) => {
                self.unsure = Some(format!("the vendor answered {}", refusal.response.status));
                self.refusal = Some(refusal);
                self.settle(row)
            }
            Verdict::Lost(why) => {
                self.unsure = Some(why);
                self.refusal = None;
                self.settle(row)
            }
            Verdict::NotSent(why) if self.main_sends >= MOST_SENDS => Err(Failure::Unreachable(why)),
            Verdict::NotSent(_) => {
                self.delay_ms = 300 << self.main_sends;
                Ok(())
            }
            Verdict::Forbidden(why) => Err(Failure::AddressRefused(why)),
        }
    }

    /// The connector's own word on an answer that means "there was nothing to remove".
    fn says_already_gone(&self, row: &Row, response: &Response) -> bool {
        let Some(expr) = &row.already_gone else { return false };
        expr.test(&self.answer_scope(response, Value::Null, false)).unwrap_or(false)
    }

    /// The connector's own word on a refusal that has an effect.
    fn says_less(&self, row: &Row, response: &Response) -> bool {
        let Some(less) = row.lesser.as_ref().filter(|_| row.verify.is_some()) else { return false };
        less.when.test(&self.answer_scope(response, Value::Null, false)).unwrap_or(false)
    }

    fn read_back(&mut self, why: Why) -> Step<()> {
        self.go(Stage::Verify { tries: 0, why }).map(|_| ())
    }

    /// Nobody knows what happened: read, whatever the caller said about reading back.
    fn settle(&mut self, row: &Row) -> Step<()> {
        if row.verify.is_some() {
            return self.read_back(Why::Settle);
        }
        Err(Failure::Uncertain(self.unsure.clone().unwrap_or_default()))
    }

    /// The vendor says that there is nothing to remove.
    fn nothing_there(&mut self, row: &Row, refusal: Refusal) -> Step<()> {
        self.refusal = Some(refusal);
        if row.verify.is_some() {
            return self.read_back(Why::Absent);
        }
        self.absent()
    }

    fn refused(&mut self, row: &Row, refusal: Refusal) -> Step<()> {
        if self.unsure.is_some() {
            self.refusal = Some(refusal);
            return self.settle(row);
        }
        Err(Failure::Vendor(refusal))
    }

    /// Gone without a success of ours in this call.
    pub(super) fn absent(&mut self) -> Step<()> {
        if self.unsure.is_some() {
            return self.go(Stage::After(0)).map(|_| ());
        }
        // A target that was read is evidence that the record existed. For a membership it is not:
        // the group exists, but nothing shows that this user was ever in it.
        let effect = self.effect();
        if self.target.is_none() || matches!(effect, Some(Effect::RemovesMembership | Effect::Reactivates)) {
            return Err(Failure::NotFound);
        }
        self.end(Ok(Success::Write), Some(Outcome::AlreadyGone), None);
        Ok(())
    }
}
