//! The matrix for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cells::{Cells, Matrix, Need, VendorRow};
use crate::observe::Section;

/// Columns of the vendors' tables: what is shown, and the methods.
const COLUMNS: [(&str, &str); 4] = [
    ("delete", "users.delete"),
    ("deactivate", "users.deactivate"),
    ("reactivate", "users.reactivate"),
    ("leave a group", "groups.remove-user"),
];

impl Matrix {
    /// Markdown: tables of vendors, a table per operation, and what vendors cannot deliver.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# What each vendor delivers\n\n\
             `koine matrix --markdown` made these tables by calling every method of every connector against its sandbox: with\n\
             success, a second time, about somebody unknown, as a plan, and without each parameter in turn.\n\n\
             *Emphasized* outcomes are unverified: they rest on what others say about the vendor, not on the vendor's own word.\n",
        );
        for model in self.models() {
            let heads: Vec<_> = COLUMNS.iter().map(|(head, _)| *head).collect();
            let _ = write!(
                text,
                "\n## {model}\n\n| vendor | connector | {} | read | evidence |\n|---|---|{}---|---|\n",
                heads.join(" | "),
                "---|".repeat(heads.len())
            );
            for vendor in self.vendors.iter().filter(|vendor| vendor.has_model(model)) {
                let cells: Vec<_> =
                    COLUMNS.iter().map(|(_, method)| self.told(vendor, model, method)).collect();
                let _ = writeln!(
                    text,
                    "| {} | `{}` | {} | {} | {} |",
                    vendor.label,
                    vendor.connector,
                    cells.join(" | "),
                    vendor.reads(model).join(", "),
                    vendor.evidence.as_str()
                );
            }
        }
        text.push_str(
            "\n# Parameters and fields\n\n\
             A field is here when an answer held it, in such a call or in a fixture. **Bold** vendors cannot do without the parameter.\n",
        );
        operations(&mut text, &self.cells());
        self.cannot(&mut text);
        text
    }

    fn models(&self) -> BTreeSet<&str> {
        let operations = self.vendors.iter().flat_map(|vendor| vendor.operations.keys());
        operations.filter_map(|operation| operation.split('.').next()).collect()
    }

    /// The outcome of a change, emphasized when it is unverified; nothing when there is none.
    fn told(&self, vendor: &VendorRow, model: &str, method: &str) -> String {
        let operation = format!("{model}.{method}");
        let Some(word) = vendor.operations.get(&operation) else { return String::new() };
        let own = self
            .observed
            .iter()
            .filter(|one| one.connector == vendor.connector && one.operation == operation);
        let outcomes: BTreeSet<_> = own.filter_map(|one| one.outcome.as_deref()).collect();
        let outcomes = outcomes.into_iter().collect::<Vec<_>>().join(" or ");
        if *word == "unverified" { format!("*{outcomes}*") } else { outcomes }
    }

    fn cannot(&self, text: &mut String) {
        text.push_str("\n## What vendors cannot deliver\n\n");
        for vendor in self.vendors.iter().filter(|vendor| !vendor.unsupported.is_empty()) {
            let _ = writeln!(text, "**{}**\n", vendor.label);
            for (what, why) in &vendor.unsupported {
                let _ = writeln!(text, "- {what}: {why}");
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
}

impl VendorRow {
    fn has_model(&self, model: &str) -> bool {
        self.operations.keys().any(|operation| operation.split('.').next() == Some(model))
    }

    /// Resources that can be read.
    fn reads(&self, model: &str) -> Vec<&str> {
        self.operations
            .keys()
            .filter_map(|operation| {
                let mut parts = operation.split('.');
                let fits = parts.next() == Some(model);
                let resource = parts.next()?;
                (fits && matches!(parts.next()?, "list" | "get")).then_some(resource)
            })
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

fn operations(text: &mut String, cells: &Cells) {
    for (operation, fields) in cells {
        let _ = write!(text, "\n## {operation}\n\n| section | field | vendors |\n|---|---|---|\n");
        for ((section, name), vendors) in fields {
            let vendors: Vec<_> = vendors
                .iter()
                .map(|(vendor, need)| match need {
                    Need::Required => format!("**{vendor}**"),
                    Need::Supported => vendor.clone(),
                })
                .collect();
            let _ = writeln!(text, "| {} | `{name}` | {} |", section.as_str(), vendors.join(", "));
        }
    }
}

impl Section {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Body => "body",
            Self::Response => "answer",
        }
    }
}
