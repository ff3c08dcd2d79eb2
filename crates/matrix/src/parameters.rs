//! Which parameters a vendor needs, and which it only takes: found out by leaving each of them out.

use koine_sandbox::CaseCall;

use crate::cells::Need;
use crate::observe::{Section, Trial};

/// Nobody's address.
const SOMEBODY_ELSE: &str = "somebody.else@example.com";

/// Calls again without each parameter of the case, one by one, as a plan where the method changes something; then with
/// addresses.
pub(crate) async fn observe(trial: &mut Trial<'_>, call: &CaseCall) {
    let query: Vec<_> = call.query.keys().map(|name| (Section::Query, name.clone())).collect();
    let body: Vec<_> = call.body.keys().map(|name| (Section::Body, name.clone())).collect();
    for (section, name) in query.into_iter().chain(body) {
        let mut without = call.clone();
        match section {
            Section::Body => drop(without.body.shift_remove(&name)),
            _ => drop(without.query.shift_remove(&name)),
        }
        if let Err(problem) = trial.begin().await {
            return trial.noted.problems.push(problem);
        }
        let told = trial.call(&without, &dry(trial)).await;
        let need = if told.status == 400 { Need::Required } else { Need::Supported };
        if need == Need::Required && !told.message.contains(&name) {
            trial
                .noted
                .problems
                .push(format!("without `{name}`, which the refusal does not name: {}", told.said()));
        }
        trial.noted.parameters.insert(name, (section, need));
    }
    emails(trial, call).await;
}

fn dry(trial: &Trial<'_>) -> Vec<(&'static str, &'static str)> {
    if trial.case.changes() { vec![("koine_plan", "true")] } else { Vec::new() }
}

/// `emails` is understood when somebody else's address is refused and the person's own is not.
async fn emails(trial: &mut Trial<'_>, call: &CaseCall) {
    let case = trial.case;
    if case.resource != "users" || !case.changes() || trial.noted.parameters.contains_key("emails") {
        return;
    }
    if let Err(problem) = trial.begin().await {
        return trial.noted.problems.push(problem);
    }
    let plan = trial.call(call, &[("koine_plan", "true")]).await;
    let own = plan.body["plan"]["target"]["emails"].as_array().and_then(|all| all.first());
    let Some(own) = own.and_then(|one| one["email"].as_str()).map(ToOwned::to_owned) else { return };
    let right = trial.call(call, &[("koine_plan", "true"), ("emails", own.as_str())]).await;
    let wrong = trial.call(call, &[("koine_plan", "true"), ("emails", SOMEBODY_ELSE)]).await;
    if (right.status, wrong.status) == (200, 409) {
        trial.noted.parameters.insert("emails".to_owned(), (Section::Query, Need::Supported));
    } else {
        let told = format!("emails: their own {}, somebody else's {}", right.said(), wrong.said());
        trial.noted.problems.push(told);
    }
}
