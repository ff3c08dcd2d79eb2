//! Reading whether the effect is there.

use koine_model::{Effect, Outcome};
use serde_json::Value;

use super::gather::Gathered;
use super::judge::Verdict;
use super::types::{Failure, Mode, Success};
use super::{MOST_SENDS, Plan, Stage, Step, Why, broken};
use crate::compiled::{RequestSpec, Verify};
use crate::expr::Scope;

impl Plan {
    /// The answer to a read that asks whether the effect is there.
    pub(super) fn verify_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        tries: u32,
        why: Why,
    ) -> Step<()> {
        let row = self.row.clone();
        let Some(verify) = &row.verify else { return Ok(()) };
        let seen = match verdict {
            Verdict::Good(response) => match self.whole(spec, verify.call.select.as_ref(), &response) {
                Ok(None) => return Ok(()),
                Ok(Some(record)) => Some((record.unwrap_or(Value::Null), response, false)),
                Err(_) => None,
            },
            Verdict::NotFound(refusal) => Some((Value::Null, refusal.response, true)),
            Verdict::Throttled(_, Some(seconds)) => {
                self.delay_ms = seconds * 1000;
                return self.read_later(verify, tries, why, None);
            }
            _ => None,
        };
        let Some((record, response, not_found)) = seen else {
            return self.read_later(verify, tries, why, None);
        };
        let scope = self.answer_scope(&response, record, not_found);
        if verify.gone.test(&scope).map_err(|error| broken("verify.gone", &error))? {
            self.did_less = false;
            return match why {
                // Able to sign in already: what was asked for is so.
                Why::Absent if self.effect() != Some(Effect::Reactivates) => self.absent(),
                Why::Absent => self.go(Stage::After(0)).map(|_| ()),
                Why::Confirm | Why::Settle => self.go(Stage::After(0)).map(|_| ()),
            };
        }
        let less = self.did_less && self.shows_less(&scope)?;
        let repeat = verify.repeat_if.as_ref().is_some_and(|expr| expr.test(&scope).unwrap_or(false));
        self.read_ok = true;
        if less {
            return self.go(Stage::After(0)).map(|_| ());
        }
        if repeat && self.main_sends < MOST_SENDS && self.ask.mode == Mode::Run {
            // What was read may be older than what was done: a refusal of the repeat will not be the last word.
            self.unsure
                .get_or_insert_with(|| "the vendor agreed, but reading still showed it there".to_owned());
            return self.go(Stage::Main).map(|_| ());
        }
        self.read_later(verify, tries, why, Some(repeat))
    }

    fn shows_less(&self, scope: &Scope<'_>) -> Step<bool> {
        let Some(less) = &self.row.lesser else { return Ok(false) };
        less.shown.test(scope).map_err(|error| broken("lesser.shown", &error))
    }

    /// Not there yet, or not readable: read again, and at the end say what is known.
    fn read_later(&mut self, verify: &Verify, tries: u32, why: Why, partly: Option<bool>) -> Step<()> {
        self.gathered = Gathered::default();
        if tries + 1 < verify.tries {
            self.stage = Stage::Verify { tries: tries + 1, why };
            self.delay_ms = self.delay_ms.max(verify.delay_ms);
            return Ok(());
        }
        match why {
            // Neither the effect nor the lesser one shows: the refusal stands.
            Why::Confirm if self.did_less => match self.refusal.take() {
                Some(refusal) => Err(Failure::Vendor(refusal)),
                None => Err(Failure::NotFound),
            },
            Why::Confirm => {
                self.end(Ok(Success::Write), Some(Outcome::Pending), None);
                Ok(())
            }
            // The answer said that there was nothing to remove, and reading shows that there is.
            Why::Absent => match self.refusal.take() {
                Some(refusal) => Err(Failure::Vendor(refusal)),
                None => {
                    self.end(Ok(Success::Write), Some(Outcome::Pending), None);
                    Ok(())
                }
            },
            Why::Settle => self.still_there(partly),
        }
    }

    /// Reading did not show the effect of a request whose answer nobody saw.
    fn still_there(&mut self, partly: Option<bool>) -> Step<()> {
        let why = self.unsure.clone().unwrap_or_default();
        if !self.read_ok {
            return Err(Failure::Uncertain(format!("{why}, and reading back failed too")));
        }
        if self.ask.mode == Mode::Settle {
            let detail = match partly {
                Some(true) => "interrupted half-way: an earlier step had been done, the last one had not",
                _ => "interrupted before the vendor acted; it is still there",
            };
            self.end(Err(Failure::Uncertain(why)), Some(Outcome::Refused), Some(detail.to_owned()));
            return Ok(());
        }
        let connector = self.connector.clone();
        let name = self.main_name(&self.row, &self.scope(true))?;
        let idempotent = self.spec(&connector, &name)?.idempotent;
        if idempotent && self.main_sends < MOST_SENDS {
            return self.go(Stage::Main).map(|_| ());
        }
        match self.refusal.take() {
            // The vendor failed, and reading shows that it did nothing: its refusal is the truth.
            Some(refusal) => {
                self.unsure = None;
                Err(Failure::Vendor(refusal))
            }
            None => Err(Failure::Uncertain(format!("{why}; reading back still shows it there"))),
        }
    }
}
