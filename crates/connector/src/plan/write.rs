//! The dangerous half of a plan: sending the main request, and finding out what came of it.

use std::sync::Arc;

use koine_model::{Effect, Outcome, Response};
use serde_json::{Map, Value};

use super::gather::Gathered;
use super::judge::Verdict;
use super::types::{Failure, Mode, Refusal, Send, Success};
use super::{MOST_SENDS, Plan, Stage, Step, Why, broken, row};
use crate::build::Additions;
use crate::compiled::{Choice, Connector, RequestSpec, Row, Verify};
use crate::expr::Scope;

impl Plan {
    /// The main request of any method.
    pub(super) fn send_main(&mut self, connector: &Connector, row: &Row) -> Step<Option<Send>> {
        let name = match (&row.resource, &row.method) {
            (Some(Choice::Fixed(name)), None) => name.clone(),
            _ => self.main_name(row, &self.scope(true))?,
        };
        let spec = self.spec(connector, &name)?;
        self.begin_pages(spec)?;
        let scope = self.scope(true);
        let additions = self.additions(row, &scope, true)?;
        let mut send = self.build(connector, &name, &scope, additions)?;
        if spec.reads {
            let request = Arc::make_mut(&mut send.request);
            match self.is_list() {
                true => self.place_on_page(spec, request)?,
                false => self.place_on_gathered(spec, request)?,
            }
            return Ok(Some(send));
        }
        send.destructive = true;
        if let Some(body) = &self.ask.passthrough {
            // The caller's content type, not the connector's.
            let request = Arc::make_mut(&mut send.request);
            request.headers.retain(|(name, _)| name != "content-type");
            request.body = Some(body.clone());
        }
        if self.ask.mode == Mode::DryRun {
            self.planned.push(send);
            self.plan_verify(connector, row);
            self.end(Ok(Success::Planned), None, None);
            return Ok(None);
        }
        self.main_sends += 1;
        self.read_ok = false;
        Ok(Some(send))
    }

    pub(super) fn main_name(&self, row: &Row, scope: &Scope<'_>) -> Step<String> {
        let resource =
            row.resource.as_ref().ok_or_else(|| Failure::Connector("the method calls nothing".to_owned()))?;
        let first = self.choose(resource, scope)?;
        match &row.method {
            None => Ok(first),
            Some(method) => Ok(format!("{first}.{}", self.choose(method, scope)?)),
        }
    }

    /// Query, body, path and headers as the row maps them; of the main request `remote_query` and `remote_data` win.
    pub(super) fn additions(&self, row: &Row, scope: &Scope<'_>, main: bool) -> Step<Additions> {
        let object = |value: Option<Value>| match value {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let eval = |what: &str, expr: Option<&crate::expr::Expr>| -> Step<Option<Value>> {
            expr.map_or(Ok(None), |expr| expr.eval(scope).map_err(|error| broken(what, &error)))
        };
        let render = |template: Option<&crate::template::Template>| -> Step<Option<Value>> {
            template
                .map(|template| template.fill(scope.roots()))
                .transpose()
                .map_err(|e| Failure::Input(e.to_string()))
        };
        let mut query = object(render(row.query.as_ref())?);
        query.extend(object(eval("query_mapping", row.query_mapping.as_ref())?));
        if main {
            query.extend(self.ask.remote_query.clone());
        }
        let mut body = render(row.body.as_ref())?;
        if let Some(mapped) = eval("request_body_mapping", row.request_body_mapping.as_ref())? {
            body = Some(match (body, mapped) {
                (Some(Value::Object(mut base)), Value::Object(over)) => {
                    base.extend(over);
                    Value::Object(base)
                }
                (_, mapped) => mapped,
            });
        }
        if main && !self.ask.remote_data.is_empty() {
            let mut merged = object(body);
            merged.extend(self.ask.remote_data.clone());
            body = Some(Value::Object(merged));
        }
        let path =
            eval("path_mapping", row.path_mapping.as_ref())?.and_then(|v| v.as_str().map(ToOwned::to_owned));
        let headers: Map<String, Value> =
            object(eval("request_header_mapping", row.request_header_mapping.as_ref())?);
        Ok(Additions { path, query, body, headers })
    }

    /// A dry run also names the read that would prove the effect.
    fn plan_verify(&mut self, connector: &Connector, row: &Row) {
        let Some(verify) = &row.verify else { return };
        if let Ok(send) = self.build_call(connector, &verify.call) {
            self.planned.push(send);
        }
    }

    /// The answer to a destructive main request.
    pub(super) fn main_answered(&mut self, spec: &RequestSpec, verdict: Verdict) -> Step<()> {
        let connector = self.connector.clone();
        let row = row(&connector, &self.ask)?;
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
                let _ = spec;
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

    pub(super) fn effect(&self) -> Step<Option<Effect>> {
        Ok(self.row()?.removal.as_ref().map(|removal| removal.effect))
    }

    /// Gone without a success of ours in this call.
    fn absent(&mut self) -> Step<()> {
        if self.unsure.is_some() {
            return self.go(Stage::After(0)).map(|_| ());
        }
        // A target that was read is evidence that the record existed. For a membership it is not:
        // the group exists, but nothing shows that this user was ever in it.
        let effect = self.effect()?;
        if self.target.is_none() || matches!(effect, Some(Effect::RemovesMembership | Effect::Reactivates)) {
            return Err(Failure::NotFound);
        }
        self.end(Ok(Success::Write), Some(Outcome::AlreadyGone), None);
        Ok(())
    }

    /// The answer to a read that asks whether the effect is there.
    pub(super) fn verify_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        tries: u32,
        why: Why,
    ) -> Step<()> {
        let connector = self.connector.clone();
        let Some(verify) = &row(&connector, &self.ask)?.verify else { return Ok(()) };
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
                Why::Absent if self.effect()? != Some(Effect::Reactivates) => self.absent(),
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
        let Some(less) = &self.row()?.lesser else { return Ok(false) };
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
        let name = self.main_name(row(&connector, &self.ask)?, &self.scope(true))?;
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

    /// The answer to a destructive step before the main request.
    pub(super) fn destructive_step_answered(
        &mut self,
        spec: &RequestSpec,
        verdict: Verdict,
        index: usize,
    ) -> Step<()> {
        let connector = self.connector.clone();
        let step = row(&connector, &self.ask)?.before.get(index);
        let waits = step.is_some_and(|step| step.wait.is_some());
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
            Verdict::Lost(why) | Verdict::NotSent(why) if spec.idempotent && self.tries + 1 < MOST_SENDS => {
                self.tries += 1;
                self.delay_ms = 300;
                let _ = why;
                Ok(())
            }
            Verdict::NotSent(_) if self.tries + 1 < MOST_SENDS => {
                self.tries += 1;
                self.delay_ms = 300;
                Ok(())
            }
            Verdict::Throttled(_, Some(seconds)) if self.tries + 1 < MOST_SENDS => {
                self.tries += 1;
                self.delay_ms = seconds * 1000;
                Ok(())
            }
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
        let connector = self.connector.clone();
        let wait = row(&connector, &self.ask)?.before.get(index).and_then(|step| step.wait.as_ref());
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
                let main = self.row()?.after.get(index).is_some_and(|step| step.main);
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

    /// Every step is done.
    pub(super) fn finish_write(&mut self, row: &Row) {
        let less = row.lesser.as_ref().filter(|_| self.did_less);
        let effect = less.map(|less| less.effect).or(row.removal.as_ref().map(|removal| removal.effect));
        let outcome = effect.map(Effect::achieved);
        let detail = self.aftermath.take().or_else(|| less.map(|less| less.detail.clone()));
        self.end(Ok(Success::Write), outcome, detail);
    }
}
