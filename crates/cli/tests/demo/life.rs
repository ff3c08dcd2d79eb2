//! What is special about a person's end in single connectors, as the vendor's own side shows it; what all have in common,
//! `koine matrix` tries.

use serde_json::Value;

use crate::support::Demo;

#[tokio::test]
pub(crate) async fn a_guard_on_emails_and_the_dash() {
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
async fn out_of_a_group_nobody_goes_whose_address_could_not_be_compared() {
    let demo = Demo::start().await;
    let groups = demo.state("okta", "groups").await;
    let before = groups[1]["__members"].clone();
    let body = serde_json::json!({"group_id": groups[1]["id"], "user_id": "00unobody"});
    let path = "user-directory/groups/remove-user?emails=ada@example.com";
    let refused = demo.call("okta", "POST", path, &body).await;
    assert_eq!(refused.told(), (409, Some("refused")), "{refused:?}");
    assert_eq!(refused.http.header("koine-error-code"), Some("email_unknown"));
    let plain = demo.call("okta", "POST", "user-directory/groups/remove-user", &body).await;
    assert_eq!(plain.told(), (404, None), "without a guard it is just unknown: {plain:?}");
    assert_eq!(demo.state("okta", "groups").await[1]["__members"], before);
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
pub(crate) async fn a_removal_repeated_without_what_only_said_how_is_known() {
    let demo = Demo::start().await;
    let people = demo.state("smartsheet", "users").await;
    let [person, heir] = [3, 4].map(|at: usize| people[at]["id"].to_string());
    let call = async |more: &str| {
        let path = format!("user-directory/users/{person}?{more}");
        demo.call("smartsheet", "DELETE", &path, &Value::Null).await
    };
    let removed = call(&format!("transfer_to={heir}")).await;
    assert_eq!(removed.told(), (200, Some("removed")), "{removed:?}");
    let again = call("").await;
    assert_eq!(again.told(), (200, Some("already_gone")), "{again:?}");
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
