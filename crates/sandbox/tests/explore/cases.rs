//! The destructive methods that are walked, and how the vendor's own state shows their effect.

mod scim;

use koine_sandbox::Vendor;
use serde_json::{Map, Value, json};

/// One method on one person.
pub(crate) struct Case {
    pub connector: &'static str,
    pub model: &'static str,
    pub resource: &'static str,
    pub method: &'static str,
    /// The call's id, query and body, from the vendor's state.
    pub call: fn(&Vendor) -> (Option<String>, Value, Value),
    /// Whether the effect is there.
    pub done: fn(&Vendor) -> bool,
}

impl Case {
    pub(crate) fn method(&self) -> String {
        format!("{}.{}.{}", self.model, self.resource, self.method)
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Everybody is made anew for each walk, so the second person is the same in all of them.
fn second<'a>(vendor: &'a Vendor, collection: &str) -> &'a Value {
    &vendor.collection(collection)[1]
}

fn is_member(vendor: &Vendor, collection: &str, at: usize, members: &str, id: &str) -> bool {
    vendor.collection(collection)[at][members].to_string().contains(id)
}

const SECOND_PERSON: &str = "bo.haddad@example.com";

fn okta_user(vendor: &Vendor) -> Option<&Value> {
    vendor.collection("users").iter().find(|user| user["profile"]["email"] == SECOND_PERSON)
}

fn by_email<'a>(vendor: &'a Vendor, collection: &str, key: &str) -> Option<&'a Value> {
    vendor.collection(collection).iter().find(|user| user[key] == SECOND_PERSON)
}

fn by_id<'a>(vendor: &'a Vendor, collection: &str, id: &str) -> Option<&'a Value> {
    vendor.collection(collection).iter().find(|own| own["id"] == id)
}

/// Of the first group.
fn members(vendor: &Vendor, collection: &str) -> Vec<String> {
    vendor.collection(collection)[0]["__members"].as_array().into_iter().flatten().map(text).collect()
}

/// All of them.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(scim::CASES)
}

const CASES: &[Case] = &[
    Case {
        connector: "okta",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| (okta_user(vendor).map(|user| text(&user["id"])), json!({}), json!({})),
        done: |vendor| okta_user(vendor).is_none(),
    },
    Case {
        connector: "okta",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": okta_user(vendor).expect("at the start")["id"]})),
        done: |vendor| okta_user(vendor).is_none_or(|user| user["status"] == "DEPROVISIONED"),
    },
    Case {
        connector: "okta",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let ids = json!({"group_id": vendor.collection("groups")[1]["id"], "user_id": okta_user(vendor).expect("at the start")["id"]});
            (None, json!({}), ids)
        },
        done: |vendor| {
            okta_user(vendor)
                .is_none_or(|user| !is_member(vendor, "groups", 1, "__members", &text(&user["id"])))
        },
    },
    Case {
        connector: "github",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (Some(text(&second(vendor, "users")["id"])), json!({"organization_id": "acme"}), json!({}))
        },
        done: |vendor| second(vendor, "users")["__member"] == false,
    },
    Case {
        connector: "github",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let ids = json!({"group_id": "platform", "user_id": text(&second(vendor, "users")["id"])});
            (None, json!({"organization_id": "acme"}), ids)
        },
        done: |vendor| !is_member(vendor, "teams", 0, "__members", &text(&second(vendor, "users")["login"])),
    },
    Case {
        connector: "help-scout",
        model: "ticketing",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (by_email(vendor, "users", "email").map(|user| text(&user["id"])), json!({}), json!({}))
        },
        done: |vendor| by_email(vendor, "users", "email").is_none(),
    },
    Case {
        connector: "monday",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (Some(text(&second(vendor, "users")["id"])), json!({"workspace_id": "1234567"}), json!({}))
        },
        done: |vendor| {
            !is_member(vendor, "workspaces", 0, "__members", &text(&second(vendor, "users")["id"]))
        },
    },
    Case {
        connector: "monday",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["id"]})),
        done: |vendor| second(vendor, "users")["status"] == "INACTIVE",
    },
    Case {
        connector: "monday",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            (None, json!({}), json!({"group_id": "51166", "user_id": second(vendor, "users")["id"]}))
        },
        done: |vendor| !is_member(vendor, "teams", 0, "__members", &text(&second(vendor, "users")["id"])),
    },
    Case {
        connector: "tableau",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (by_email(vendor, "users", "name").map(|user| text(&user["id"])), json!({}), json!({}))
        },
        done: |vendor| by_email(vendor, "users", "name").is_none(),
    },
    Case {
        connector: "tableau",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["id"]})),
        done: |vendor| second(vendor, "users")["siteRole"] == "Unlicensed",
    },
    Case {
        connector: "tableau",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let group = &vendor.collection("groups")[0]["id"];
            (None, json!({}), json!({"group_id": group, "user_id": second(vendor, "users")["id"]}))
        },
        done: |vendor| !is_member(vendor, "groups", 0, "__members", &text(&second(vendor, "users")["id"])),
    },
    Case {
        connector: "typeform",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |_| (Some(SECOND_PERSON.to_owned()), json!({"workspace_id": "a1b2c3"}), json!({})),
        done: |vendor| !is_member(vendor, "workspaces", 0, "__members", SECOND_PERSON),
    },
    Case {
        connector: "slack-enterprise",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (Some(text(&second(vendor, "users")["id"])), json!({"workspace_id": "T0ALPHA"}), json!({}))
        },
        done: |vendor| !second(vendor, "users")["__teams"].to_string().contains("T0ALPHA"),
    },
    Case {
        connector: "slack-enterprise",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["id"]})),
        done: |vendor| second(vendor, "users")["deleted"] == true,
    },
    Case {
        connector: "slack-enterprise",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let ids = json!({"group_id": "S0ENGINE", "user_id": second(vendor, "users")["id"]});
            (None, json!({"workspace_id": "T0ALPHA"}), ids)
        },
        done: |vendor| !is_member(vendor, "usergroups", 0, "__users", &text(&second(vendor, "users")["id"])),
    },
    Case {
        connector: "salesforce",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| (Some(text(&second(vendor, "users")["Id"])), json!({}), json!({})),
        done: |vendor| second(vendor, "users")["IsActive"] == false,
    },
    Case {
        connector: "salesforce",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["Id"]})),
        done: |vendor| second(vendor, "users")["IsActive"] == false,
    },
    Case {
        connector: "salesforce",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let group = &vendor.collection("groups")[0]["Id"];
            (None, json!({}), json!({"group_id": group, "user_id": second(vendor, "users")["Id"]}))
        },
        done: |vendor| !is_member(vendor, "groups", 0, "__members", &text(&second(vendor, "users")["Id"])),
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |_| (Some("2".to_owned()), json!({"user_type": "end_user"}), json!({})),
        done: |vendor| by_id(vendor, "users", "2").is_none() && by_id(vendor, "accounts", "2").is_some(),
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |_| (Some("2".to_owned()), json!({"user_type": "admin"}), json!({})),
        done: |vendor| by_id(vendor, "accounts", "2").is_none() && by_id(vendor, "users", "2").is_some(),
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |_| (None, json!({"user_type": "admin"}), json!({"user_id": "2"})),
        done: |vendor| by_id(vendor, "accounts", "2").is_some_and(|own| own["accountStatus"] == "Disabled"),
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |_| (None, json!({"user_type": "end_user"}), json!({"group_id": "1", "user_id": "2"})),
        done: |vendor| {
            members(vendor, "user_groups") == ["1", "3"] && members(vendor, "account_groups").len() == 3
        },
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |_| (None, json!({"user_type": "admin"}), json!({"group_id": "1", "user_id": "2"})),
        done: |vendor| {
            members(vendor, "account_groups") == ["1", "3"] && members(vendor, "user_groups").len() == 3
        },
    },
    Case {
        connector: "google-workspace",
        model: "user-directory",
        resource: "users",
        method: "delete",
        call: |vendor| {
            let id = by_email(vendor, "users", "primaryEmail").map(|user| text(&user["id"]));
            (id, json!({"product": "workspace"}), json!({}))
        },
        done: |vendor| by_email(vendor, "users", "primaryEmail").is_none(),
    },
    Case {
        connector: "google-workspace",
        model: "user-directory",
        resource: "users",
        method: "deactivate",
        call: |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["id"]})),
        done: |vendor| second(vendor, "users")["suspended"] == true,
    },
    Case {
        connector: "google-workspace",
        model: "user-directory",
        resource: "groups",
        method: "remove-user",
        call: |vendor| {
            let group = &vendor.collection("groups")[0]["id"];
            (None, json!({}), json!({"group_id": group, "user_id": second(vendor, "users")["id"]}))
        },
        done: |vendor| !is_member(vendor, "groups", 0, "__members", &text(&second(vendor, "users")["id"])),
    },
    Case {
        connector: "dropbox-sign",
        model: "e-signature",
        resource: "users",
        method: "delete",
        call: |vendor| {
            (
                by_email(vendor, "accounts", "email_address").map(|user| text(&user["account_id"])),
                json!({}),
                json!({}),
            )
        },
        done: |vendor| by_email(vendor, "accounts", "email_address").is_none(),
    },
];

/// An object's fields.
pub(crate) fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
