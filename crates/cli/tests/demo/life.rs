//! The life of a person in every connector of the first five, as the vendor's own side shows it.

use serde_json::{Value, json};

use crate::support::Demo;

struct Case {
    connector: &'static str,
    model: &'static str,
    query: &'static str,
    people: usize,
    unknown: &'static str,
    /// The list shows the account still: the removal ended a membership, or disabled it.
    stays: bool,
    outcome: &'static str,
    /// The vendor's collections.
    holds: &'static [&'static str],
}

/// A service of SCIM that shows everybody.
const fn scim(connector: &'static str) -> Case {
    Case {
        connector,
        model: "user-directory",
        query: "",
        people: 250,
        unknown: "12",
        stays: false,
        outcome: "removed",
        holds: &["users", "groups"],
    }
}

const CASES: &[Case] = &[
    Case {
        connector: "okta",
        model: "user-directory",
        query: "",
        people: 250,
        unknown: "00unobody",
        stays: false,
        outcome: "removed",
        holds: &["users", "groups"],
    },
    scim("miro-scim"),
    // ten of the 250 were invited only; GitHub lists members
    Case {
        connector: "github",
        model: "user-directory",
        query: "organization_id=acme",
        people: 240,
        unknown: "12",
        stays: false,
        outcome: "removed",
        holds: &["users", "teams"],
    },
    // the 251st of its users is a team, which is no person
    Case {
        connector: "help-scout",
        model: "ticketing",
        query: "",
        people: 250,
        unknown: "12",
        stays: false,
        outcome: "removed",
        holds: &["users"],
    },
    Case {
        connector: "monday",
        model: "user-directory",
        query: "workspace_id=1234567",
        people: 250,
        unknown: "12",
        stays: true,
        outcome: "removed",
        holds: &["users", "workspaces", "teams"],
    },
    Case {
        connector: "tableau",
        model: "user-directory",
        query: "",
        people: 250,
        unknown: "00000000-0000-4000-8000-000000000000",
        stays: false,
        outcome: "removed",
        holds: &["users", "groups"],
    },
    Case {
        connector: "typeform",
        model: "user-directory",
        query: "workspace_id=a1b2c3",
        people: 250,
        unknown: "nobody@example.com",
        stays: false,
        outcome: "removed",
        holds: &["workspaces"],
    },
    // fourteen are deactivated, and its list holds active people
    Case {
        connector: "slack-enterprise",
        model: "user-directory",
        query: "workspace_id=T0ALPHA",
        people: 236,
        unknown: "W0NOBODY",
        stays: false,
        outcome: "removed",
        holds: &["users", "usergroups"],
    },
    Case { unknown: "00000000-0000-4000-8000-000000000000", ..scim("notion-scim") },
    Case { holds: &["users"], ..scim("bigpanda") },
    scim("figma-scim"),
    Case { stays: true, outcome: "deactivated", ..scim("onepassword-scim") },
    Case { unknown: "usr00000000000000", ..scim("airtable-scim") },
    Case { stays: true, outcome: "deactivated", ..scim("monday-scim") },
    Case { stays: true, outcome: "deactivated", ..scim("knowbe4-scim") },
    scim("pendo-scim"),
    Case { holds: &["users"], ..scim("jostle-scim") },
    Case {
        connector: "salesforce",
        model: "user-directory",
        query: "",
        people: 250,
        unknown: "005xx0000000000AAA",
        stays: true,
        outcome: "deactivated",
        holds: &["users", "groups", "roles"],
    },
    Case {
        connector: "jamf",
        model: "user-directory",
        query: "user_type=end_user",
        people: 250,
        unknown: "99999",
        stays: false,
        outcome: "removed",
        holds: &["users", "accounts", "user_groups", "account_groups"],
    },
    // the first 230 people sign in to Jamf Pro itself, too
    Case {
        connector: "jamf",
        model: "user-directory",
        query: "user_type=admin",
        people: 230,
        unknown: "240",
        stays: false,
        outcome: "removed",
        holds: &["users", "accounts", "user_groups", "account_groups"],
    },
    // the 251st is the administrator whom the account acts as
    Case {
        connector: "google-workspace",
        model: "user-directory",
        query: "product=workspace",
        people: 251,
        outcome: "removed",
        unknown: "12",
        stays: false,
        holds: &["users", "deleted", "groups"],
    },
    // one more was invited by e-mail alone
    Case {
        connector: "dropbox-sign",
        model: "e-signature",
        query: "",
        people: 251,
        unknown: "00000000",
        stays: false,
        outcome: "removed",
        holds: &["accounts", "invited"],
    },
    Case {
        connector: "dropbox-sign",
        model: "user-directory",
        query: "",
        people: 251,
        unknown: "00000000",
        stays: false,
        outcome: "removed",
        holds: &["accounts", "invited"],
    },
];

/// All that the vendor holds.
async fn held(demo: &Demo, case: &Case) -> Vec<Vec<Value>> {
    let mut held = Vec::new();
    for collection in case.holds {
        held.push(demo.state(case.connector, collection).await);
    }
    held
}

#[tokio::test]
async fn list_get_plan_delete_and_again() {
    let demo = Demo::start().await;
    for case in CASES {
        demo.reset().await;
        let users = format!("{}/users", case.model);
        let with = |path: &str, more: &str| format!("{path}?{}&{more}", case.query);
        let all = demo.all(case.connector, &with(&users, "")).await;
        assert_eq!(all.len(), case.people, "{}", case.connector);
        let id = all[3]["id"].as_str().unwrap();
        let one = format!("{users}/{id}");

        let got = demo.call(case.connector, "GET", &with(&one, ""), &Value::Null).await;
        assert_eq!((got.status, got.body["id"].as_str()), (200, Some(id)), "{got:?}");

        let before = held(&demo, case).await;
        let plan = demo.call(case.connector, "DELETE", &with(&one, "koine_plan=true"), &Value::Null).await;
        assert_eq!(plan.told(), (200, None), "{plan:?}");
        assert_eq!(plan.body["plan"]["target"]["id"], id, "{plan:?}");
        assert!(!plan.body["plan"]["steps"].as_array().unwrap().is_empty());
        assert!(plan.body["plan"]["confidence"].is_string(), "{plan:?}");
        assert_eq!(held(&demo, case).await, before, "a plan changes nothing");

        let removed = demo.call(case.connector, "DELETE", &with(&one, ""), &Value::Null).await;
        assert_eq!(removed.told(), (200, Some(case.outcome)), "{removed:?}");
        assert_eq!(removed.body["id"], id);
        let left = demo.all(case.connector, &with(&users, "")).await;
        assert_eq!(left.len(), case.people - usize::from(!case.stays), "{}", case.connector);
        assert!(case.stays || left.iter().all(|record| record["id"] != id));

        let again = demo.call(case.connector, "DELETE", &with(&one, ""), &Value::Null).await;
        assert_eq!(again.told(), (200, Some("already_gone")), "{again:?}");
        let unknown = format!("{users}/{}", case.unknown);
        let nobody = demo.call(case.connector, "DELETE", &with(&unknown, ""), &Value::Null).await;
        assert_eq!(nobody.told(), (404, None), "{nobody:?}");
    }
}

#[tokio::test]
async fn deactivate() {
    let demo = Demo::start().await;
    for (connector, field, off) in [
        ("okta", "status", json!("DEPROVISIONED")),
        ("miro-scim", "active", json!(false)),
        ("monday", "status", json!("INACTIVE")),
        ("tableau", "siteRole", json!("Unlicensed")),
        ("slack-enterprise", "deleted", json!(true)),
        ("notion-scim", "active", json!(false)),
        ("bigpanda", "active", json!(false)),
        ("figma-scim", "active", json!(false)),
        ("onepassword-scim", "active", json!(false)),
        ("jostle-scim", "active", json!(false)),
        ("pendo-scim", "active", json!(false)),
        ("knowbe4-scim", "active", json!(false)),
        ("monday-scim", "active", json!(false)),
        ("airtable-scim", "active", json!(false)),
        ("google-workspace", "suspended", json!(true)),
        ("salesforce", "IsActive", json!(false)),
    ] {
        let id = demo.id_of(connector, "user-directory/users", "ada@example.com").await;
        let body = json!({"user_id": id});
        for _ in 0..2 {
            let done = demo.call(connector, "POST", "user-directory/users/deactivate", &body).await;
            assert_eq!(done.status, 200, "{done:?}");
            assert!(matches!(done.outcome.as_deref(), Some("deactivated" | "already_gone")), "{done:?}");
        }
        let state = demo.state(connector, "users").await;
        let own = state.iter().find(|user| user["id"] == id.as_str() || user["Id"] == id.as_str());
        let own = own.unwrap();
        assert_eq!(own[field], off);
    }
}

#[tokio::test]
async fn out_of_a_group_and_only_that() {
    let cases = [
        ("okta", "", "Engineering", "groups", "__members"),
        ("miro-scim", "", "Engineering", "groups", "members"),
        ("github", "organization_id=acme", "Platform", "teams", "__members"),
        ("monday", "", "Engineering", "teams", "__members"),
        ("tableau", "", "Analysts", "groups", "__members"),
        ("notion-scim", "", "Engineering", "groups", "members"),
        ("figma-scim", "", "Engineering", "groups", "members"),
        ("onepassword-scim", "", "Engineering", "groups", "members"),
        ("pendo-scim", "", "Engineering", "groups", "members"),
        ("knowbe4-scim", "", "Engineering", "groups", "members"),
        ("monday-scim", "", "Engineering", "groups", "members"),
        ("airtable-scim", "", "Engineering", "groups", "members"),
        ("google-workspace", "", "Engineering", "groups", "__members"),
        ("salesforce", "", "Engineering", "groups", "__members"),
        ("slack-enterprise", "workspace_id=T0ALPHA", "Engineering", "usergroups", "__users"),
        ("jamf", "user_type=end_user", "R&D", "user_groups", "__members"),
        ("jamf", "user_type=admin", "Help desk", "account_groups", "__members"),
    ];
    let demo = Demo::start().await;
    for (connector, query, name, collection, members) in cases {
        let groups = demo.all(connector, &format!("user-directory/groups?{query}")).await;
        let group = groups.iter().find(|group| group["name"] == name).unwrap()["id"].as_str().unwrap();
        let people = demo.all(connector, &format!("user-directory/users?{query}")).await;
        let person = people[5]["id"].as_str().unwrap();
        let count = async || {
            let state = demo.state(connector, collection).await;
            let own = state.iter().find(|own| {
                ["name", "displayName", "Name"].iter().any(|key| own[key] == name)
                    || own["profile"]["name"] == name
            });
            own.unwrap()[members].as_array().unwrap().len()
        };
        let before = count().await;
        let path = format!("user-directory/groups/remove-user?{query}");
        let body = json!({"group_id": group, "user_id": person});
        let done = demo.call(connector, "POST", &path, &body).await;
        assert_eq!(done.told(), (200, Some("removed")), "{connector}: {done:?}");
        assert_eq!(done.body["name"], name, "the record is the group");
        assert_eq!(count().await, before - 1, "{connector}");
        let again = demo.call(connector, "POST", &path, &body).await;
        assert_eq!(again.told(), (200, Some("already_gone")), "{connector}: {again:?}");
        assert_eq!(count().await, before - 1);
        let all = demo.all(connector, &format!("user-directory/users?{query}")).await;
        assert_eq!(all.len(), people.len(), "still in the account");
    }
}

#[tokio::test]
async fn a_guard_on_emails_and_the_dash() {
    let demo = Demo::start().await;
    for (connector, model) in
        [("okta", "user-directory"), ("miro-scim", "user-directory"), ("help-scout", "ticketing")]
    {
        let users = format!("{model}/users");
        let id = demo.id_of(connector, &users, "ada@example.com").await;
        let other = format!("{users}/{id}?emails=someone.else@example.com");
        let refused = demo.call(connector, "DELETE", &other, &Value::Null).await;
        assert_eq!(refused.told(), (409, Some("refused")), "{refused:?}");
        let by_email = format!("{users}/-?emails=Ada@Example.com");
        let removed = demo.call(connector, "DELETE", &by_email, &Value::Null).await;
        assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
        assert_eq!(removed.body["id"], id.as_str());
        let again = demo.call(connector, "DELETE", &by_email, &Value::Null).await;
        assert_eq!(again.status, 404, "an address that nobody has is no evidence: {again:?}");
        let by_id = demo.call(connector, "DELETE", &format!("{users}/{id}"), &Value::Null).await;
        assert_eq!(by_id.told(), (200, Some("already_gone")), "{by_id:?}");
    }
}

#[tokio::test]
async fn a_list_without_addresses_does_not_say_that_nobody_has_one() {
    let demo = Demo::start().await;
    let path = "user-directory/users/-?organization_id=acme&emails=ada@example.com";
    let unknown = demo.call("github", "DELETE", path, &Value::Null).await;
    assert_eq!(unknown.told(), (409, Some("refused")), "{unknown:?}");
    assert_eq!(unknown.http.header("koine-error-code"), Some("email_unknown"));
}

#[tokio::test]
async fn what_vendors_refuse_is_refused() {
    let demo = Demo::start().await;
    let owner = "help-scout";
    let refused = demo.call(owner, "DELETE", "ticketing/users/4250", &Value::Null).await;
    assert_eq!(refused.told(), (409, Some("refused")), "the owner: {refused:?}");
    let team = demo.call(owner, "DELETE", "ticketing/users/4999", &Value::Null).await;
    assert_eq!(team.told(), (409, Some("refused")), "a team: {team:?}");
    let miro = demo.id_of("miro-scim", "user-directory/users", "ada@example.com").await;
    let last = format!("{}250", &miro[..miro.len() - 3]);
    let admin = demo.call("miro-scim", "DELETE", &format!("user-directory/users/{last}"), &Value::Null).await;
    assert_eq!(admin.told(), (409, Some("refused")), "the last admin: {admin:?}");
    assert!(admin.body["message"].as_str().unwrap().contains("last admin"), "{admin:?}");
}

#[tokio::test]
async fn who_owns_content_loses_the_licence_and_stays() {
    let demo = Demo::start().await;
    let people = demo.state("tableau", "users").await;
    let owner = people.iter().find(|user| user["__owns"] != 0).unwrap()["id"].as_str().unwrap();
    let path = format!("user-directory/users/{owner}");
    let done = demo.call("tableau", "DELETE", &path, &Value::Null).await;
    assert_eq!(done.told(), (200, Some("deactivated")), "{done:?}");
    assert_eq!(done.body["status"], "inactive");
    assert!(
        done.http.header("koine-outcome-detail").is_some_and(|text| text.contains("owns content")),
        "{done:?}"
    );
    assert_eq!(demo.state("tableau", "users").await.len(), people.len());
}

#[tokio::test]
async fn what_happened_in_one_workspace_is_no_evidence_about_another() {
    let demo = Demo::start().await;
    let person = demo.state("slack-enterprise", "users").await[3]["id"].as_str().unwrap().to_owned();
    let call = async |workspace: &str| {
        let path = format!("user-directory/users/{person}?workspace_id={workspace}");
        demo.call("slack-enterprise", "DELETE", &path, &Value::Null).await
    };
    assert_eq!(call("T0ALPHA").await.told(), (200, Some("removed")));
    assert_eq!(call("T0ALPHA").await.told(), (200, Some("already_gone")));
    assert_eq!(call("T0BETA").await.told(), (404, None), "the fourth person was never in it");
}

#[tokio::test]
async fn no_address_changes_the_query_that_looks_for_it() {
    let demo = Demo::start().await;
    for connector in ["okta", "miro-scim", "salesforce"] {
        let before = demo.state(connector, "users").await;
        for hostile in [
            "x' OR Email != '@example.com",
            "x\\' OR Email != '@example.com",
            "x@example.com\\",
            "x\" or id pr or id eq \"@example.com",
            "x\\\" or id pr or id eq \"@example.com",
            "o'neil@example.com",
        ] {
            let address: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
            let path = format!("user-directory/users/-?emails={address}");
            let nobody = demo.call(connector, "DELETE", &path, &Value::Null).await;
            let told = (nobody.status, nobody.body["message"].as_str());
            assert_eq!(told, (404, Some("no user has this e-mail")), "{connector}: {hostile}");
        }
        assert_eq!(demo.state(connector, "users").await, before, "{connector}");
    }
}

#[tokio::test]
async fn who_was_deleted_by_somebody_else_is_remembered_by_the_vendor() {
    let demo = Demo::start().await;
    let vendor = demo.sandbox("/google-workspace/admin/directory/v1");
    let form = "grant_type=refresh_token&client_id=sandbox.apps.googleusercontent.com&client_secret=sandbox-google&refresh_token=1//sandbox-google";
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let token =
        koine_testkit::http::request("POST", &format!("{vendor}/oauth2/token"), &kind, form.as_bytes()).await;
    let token = token.unwrap().json().unwrap()["access_token"].as_str().unwrap().to_owned();
    let id = demo.state("google-workspace", "users").await[3]["id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let (user, headers) = (format!("{vendor}/users/{id}"), [("authorization", bearer.as_str())]);
    let direct = koine_testkit::http::request("DELETE", &user, &headers, b"").await.unwrap();
    assert_eq!(direct.status, 204, "{direct:?}");

    let path = format!("user-directory/users/{id}?product=workspace");
    let gone = demo.call("google-workspace", "DELETE", &path, &Value::Null).await;
    assert_eq!(gone.told(), (200, Some("already_gone")), "{gone:?}");
    assert_eq!(gone.body["status"], "deleted");
    assert!(gone.body["name"].is_string(), "as the vendor remembers them: {gone:?}");
    let other = format!("user-directory/users/{id}?product=workspace&emails=someone.else@example.com");
    let refused = demo.call("google-workspace", "DELETE", &other, &Value::Null).await;
    assert_eq!(refused.told(), (409, Some("refused")), "{refused:?}");
    let never = "user-directory/users/100000000000000009999?product=workspace";
    let nobody = demo.call("google-workspace", "DELETE", never, &Value::Null).await;
    assert_eq!(nobody.told(), (404, None), "{nobody:?}");
}
