//! Every plan of a removal, under every answer that a vendor can give: an exhaustive walk over what may go wrong,
//! one and two faults a call, with the sandbox as the vendor whose state is the truth. The cases are those of each
//! `sandbox.yaml`; every connector is a test of its own.
#![expect(clippy::print_stdout, reason = "how many paths there were is worth knowing")]

mod run;
mod stand;
mod walk;

use std::path::Path;

use run::Turn;
use stand::Stand;

fn no_removal_lies(file: &Path) -> datatest_stable::Result<()> {
    let stand = Stand::of(file);
    for case in stand.cases.values().filter(|case| case.changes()) {
        let paths = walk::walk(&Turn::new(&stand, case));
        println!("{:<18} {:<44} {paths} paths", stand.connector.name, case.name);
        let least = if walk::faults(case) > 1 { 100 } else { 10 };
        assert!(paths > least, "{}: only {paths} paths", case.name);
    }
    Ok(())
}

fn no_change_is_left_out(file: &Path) -> datatest_stable::Result<()> {
    let stand = Stand::of(file);
    for (model, resources) in &stand.connector.models {
        for (resource, meaning) in resources {
            for (method, _) in meaning.methods.iter().filter(|(_, row)| row.removal.is_some()) {
                let fits = |name: &String| {
                    name.split(' ').next() == Some(format!("{model}.{resource}.{method}").as_str())
                };
                assert!(stand.cases.keys().any(fits), "{model}.{resource}.{method} has no case");
            }
        }
    }
    Ok(())
}

fn dry_runs_only_read(file: &Path) -> datatest_stable::Result<()> {
    let stand = Stand::of(file);
    stand.cases.values().filter(|case| case.changes()).for_each(|case| run::dry(&Turn::new(&stand, case)));
    Ok(())
}

datatest_stable::harness! {
    { test = no_removal_lies, root = "../../connectors", pattern = r"^[^_][^/]*/sandbox\.yaml$" },
    { test = no_change_is_left_out, root = "../../connectors", pattern = r"^[^_][^/]*/sandbox\.yaml$" },
    { test = dry_runs_only_read, root = "../../connectors", pattern = r"^[^_][^/]*/sandbox\.yaml$" },
}
