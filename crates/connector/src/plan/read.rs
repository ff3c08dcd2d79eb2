//! The harmless half of a plan: what comes of reads, and of the steps around the main request.

use koine_model::Response;
use serde_json::Value;

use super::judge::Verdict;
use super::types::{Failure, Refusal, Send, Success};
use super::{MOST_READS, Plan, Stage, Step};
use crate::compiled::{RequestSpec, Target};

impl Plan {
    /// A read's answer: target, steps, waits, and the main request of reads.
    pub(super) fn read_answered(&mut self, spec: &RequestSpec, verdict: Verdict, send: Send) -> Step<()> {
        match verdict {
            Verdict::Good(response) => self.read_succeeded(spec, response),
            Verdict::Throttled(refusal, wait) => match wait.filter(|_| self.tries + 1 < MOST_READS) {
                Some(seconds) => self.again(send, seconds * 1000),
                None => Err(Failure::Vendor(refusal)),
            },
            Verdict::Failed(refusal) if self.tries + 1 >= MOST_READS => Err(Failure::Vendor(refusal)),
            Verdict::Lost(why) | Verdict::NotSent(why) if self.tries + 1 >= MOST_READS => {
                Err(Failure::Unreachable(why))
            }
            Verdict::Failed(_) | Verdict::Lost(_) | Verdict::NotSent(_) => {
                let delay = 200 << self.tries;
                self.again(send, delay)
            }
            Verdict::Forbidden(why) => Err(Failure::AddressRefused(why)),
            Verdict::NotFound(refusal) => self.read_not_found(spec, refusal),
            Verdict::Refused(refusal) => {
                if self.step_is_optional() {
                    self.skip_step()
                } else {
                    Err(Failure::Vendor(refusal))
                }
            }
        }
    }

    pub(super) fn again(&mut self, mut send: Send, delay_ms: u64) -> Step<()> {
        self.tries += 1;
        send.delay_ms = delay_ms;
        self.sent = Some(send);
        Ok(())
    }

    pub(super) fn read_not_found(&mut self, spec: &RequestSpec, refusal: Refusal) -> Step<()> {
        match self.stage {
            Stage::BeforeWait(..) => self.wait_answered(spec, &refusal.response, true),
            _ if self.step_is_optional() => self.skip_step(),
            // Asked for one address, a vendor may say that nobody has it as it says that an id is unknown.
            Stage::Main if self.ask.method == "find" => {
                self.end(Ok(Success::List { items: Vec::new(), next: None, looping: false }), None, None);
                Ok(())
            }
            Stage::Target => self.target_missing(),
            Stage::Main => {
                self.refusal = Some(refusal);
                Err(Failure::NotFound)
            }
            _ => Err(Failure::Vendor(refusal)),
        }
    }

    pub(super) fn step_is_optional(&self) -> bool {
        let step = match self.stage {
            Stage::Before(index) => self.row.before.get(index),
            Stage::After(index) => self.row.after.get(index),
            _ => None,
        };
        step.is_some_and(|step| step.optional)
    }

    pub(super) fn skip_step(&mut self) -> Step<()> {
        let next = match self.stage {
            Stage::Before(index) => Stage::Before(index + 1),
            Stage::After(index) => Stage::After(index + 1),
            other => other,
        };
        self.go(next).map(|_| ())
    }

    pub(super) fn read_succeeded(&mut self, spec: &RequestSpec, response: Response) -> Step<()> {
        let (connector, row) = (self.connector.clone(), &*self.row.clone());
        match self.stage {
            Stage::Target => {
                let select = match &row.target {
                    Some(Target::Call(call)) => call.select.as_ref(),
                    Some(Target::Get(resource, _)) => {
                        super::row(&connector, &self.ask, resource, "get")?.select.as_ref()
                    }
                    None => None,
                };
                let Some(value) = self.whole(spec, select, &response)? else { return Ok(()) };
                let Some(target) = value.filter(|value| !value.is_null()) else {
                    return self.target_missing();
                };
                self.target = Some(target);
                self.go(Stage::Before(0)).map(|_| ())
            }
            Stage::Before(index) => self.step_succeeded(spec, row.before.get(index), response, index),
            Stage::BeforeWait(..) => self.wait_answered(spec, &response, false),
            Stage::After(index) => {
                if row.after.get(index).is_some_and(|step| step.main) {
                    self.keep_main(response);
                }
                self.go(Stage::After(index + 1)).map(|_| ())
            }
            Stage::Main => self.page_or_record(spec, row, response),
            Stage::Tombstone | Stage::Guard | Stage::Verify { .. } | Stage::End => Ok(()),
        }
    }

    pub(super) fn step_succeeded(
        &mut self,
        spec: &RequestSpec,
        step: Option<&crate::compiled::Step>,
        response: Response,
        index: usize,
    ) -> Step<()> {
        let Some(step) = step else { return Ok(()) };
        let select = step.call.as_ref().and_then(|call| call.select.as_ref());
        let Some(value) = self.whole(spec, select, &response)? else { return Ok(()) };
        let value = value.unwrap_or(Value::Null);
        if let (Some(name), Value::Object(before)) = (&step.name, &mut self.before) {
            before.insert(name.clone(), value);
        }
        if step.main {
            self.keep_main(response);
        }
        let next = if step.wait.is_some() { Stage::BeforeWait(index, 0) } else { Stage::Before(index + 1) };
        self.go(next).map(|_| ())
    }
}
