//! Services of SCIM keep people and groups in the same shape.

use koine_sandbox::Vendor;
use serde_json::{Value, json};

use super::{Case, SECOND_PERSON, is_member, second, text};

type Effect = fn(&Vendor) -> bool;

const fn case(
    connector: &'static str,
    (resource, method): (&'static str, &'static str),
    call: fn(&Vendor) -> (Option<String>, Value, Value),
    done: Effect,
) -> Case {
    Case { connector, model: "user-directory", resource, method, call, done }
}

fn person(vendor: &Vendor) -> Option<&Value> {
    vendor.collection("users").iter().find(|user| user.to_string().contains(SECOND_PERSON))
}

fn gone(vendor: &Vendor) -> bool {
    person(vendor).is_none()
}

fn off(vendor: &Vendor) -> bool {
    person(vendor).is_some_and(|user| user["active"] == false)
}

const fn delete(connector: &'static str, done: Effect) -> Case {
    case(
        connector,
        ("users", "delete"),
        |vendor| (person(vendor).map(|user| text(&user["id"])), json!({}), json!({})),
        done,
    )
}

const fn deactivate(connector: &'static str) -> Case {
    case(
        connector,
        ("users", "deactivate"),
        |vendor| (None, json!({}), json!({"user_id": second(vendor, "users")["id"]})),
        off,
    )
}

const fn remove_user(connector: &'static str) -> Case {
    case(
        connector,
        ("groups", "remove-user"),
        |vendor| {
            let group = &vendor.collection("groups")[0]["id"];
            (None, json!({}), json!({"group_id": group, "user_id": second(vendor, "users")["id"]}))
        },
        |vendor| !is_member(vendor, "groups", 0, "members", &text(&second(vendor, "users")["id"])),
    )
}

pub(super) const CASES: &[Case] = &[
    delete("miro-scim", gone),
    deactivate("miro-scim"),
    remove_user("miro-scim"),
    delete("notion-scim", gone),
    deactivate("notion-scim"),
    remove_user("notion-scim"),
    delete("bigpanda", gone),
    deactivate("bigpanda"),
    delete("figma-scim", gone),
    deactivate("figma-scim"),
    remove_user("figma-scim"),
    delete("onepassword-scim", off),
    deactivate("onepassword-scim"),
    remove_user("onepassword-scim"),
    delete("airtable-scim", gone),
    deactivate("airtable-scim"),
    remove_user("airtable-scim"),
    delete("monday-scim", off),
    deactivate("monday-scim"),
    remove_user("monday-scim"),
    delete("knowbe4-scim", off),
    deactivate("knowbe4-scim"),
    remove_user("knowbe4-scim"),
    delete("pendo-scim", gone),
    deactivate("pendo-scim"),
    remove_user("pendo-scim"),
    delete("jostle-scim", gone),
    deactivate("jostle-scim"),
];
