//! The log of all webhooks: `GET /log`.

use koine_testkit::receiver::Reply;
use serde_json::{Value, json};

use super::support::{Home, receiver};

#[tokio::test]
async fn deliveries_are_a_log() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, _) = gateway.webhook(&receiver.url("/hook"), json!([])).await;
    receiver.then("/hook", [Reply::status(500)]);
    for expected in [502, 200] {
        assert_eq!(gateway.call("POST", "/webhook/test", &json!({"id": webhook})).await.0, expected);
    }
    let log = async |query: &str| {
        let (status, page) =
            gateway.call("GET", &format!("/log?log_type=webhook{query}"), &Value::Null).await;
        assert_eq!(status, 200, "{query}: {page}");
        page
    };
    let page = log("").await;
    let rows = page["result"].as_array().unwrap();
    assert_eq!((rows.len(), &page["next_cursor"]), (2, &Value::Null));
    let (latest, first) = (&rows[0], &rows[1]);
    assert_eq!((&latest["http_status_code"], &latest["http_status_category"]), (&json!(200), &json!("2xx")));
    assert_eq!(first["message"], "failed, 1 attempts: the receiver answered 500");
    assert_eq!(first["logs"][0]["http_status_code"], 500);
    assert_eq!((&first["event"], &first["webhook_id"]), (&json!("test"), &json!(webhook)));
    assert_eq!(first["metadata"]["event_id"], first["event_id"]);
    assert!(first.get("answer").is_none() && first["_id"].is_string(), "what is empty is left out: {first}");

    let environment = first["environment_id"].as_str().unwrap();
    for (query, count) in [
        (format!("&log_type_filter[webhook_id]={webhook}&log_type_filter[event]=test"), 2),
        (format!("&log_type_filter[environment_id]={environment}"), 2),
        (format!("&log_type_filter[environment_id]={webhook}"), 0),
        (format!("&log_type_filter[webhook_id]={environment}"), 0),
        ("&log_type_filter[event]=integrated_account:active".to_owned(), 0),
        ("&created_at[gt]=2020-01-01T00:00:00Z&created_at[lt]=2020-01-31T00:00:00Z".to_owned(), 0),
        ("&created_at[lt]=2999-01-01T00:00:00Z".to_owned(), 2),
    ] {
        assert_eq!(log(&query).await["result"].as_array().unwrap().len(), count, "{query}");
    }
    let page = log("&limit=1").await;
    let rest = log(&format!("&limit=1&next_cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&page["result"][0], &rest["result"][0]), (latest, first));

    for query in [
        "",
        "log_type=mcp",
        "log_type=everything",
        "log_type=webhook&limit=x",
        "log_type=webhook&next_cursor=x",
        "log_type=webhook&log_type_filter[tool_name]=x",
        "log_type=webhook&created_at[gt]=yesterday",
        "log_type=webhook&created_at[gte]=2026-01-01T00:00:00Z",
        "log_type=webhook&created_at[gt]=2020-01-01T00:00:00Z",
    ] {
        let (status, envelope) = gateway.call("GET", &format!("/log?{query}"), &Value::Null).await;
        assert_eq!(status, 400, "{query}: {envelope}");
    }
}
