//! `authorization`: how credentials get onto a request.

use super::one_of;
use crate::compiled::Authorization;
use crate::problem::Problems;
use crate::reader::Reader;
use crate::yaml::Node;

pub(super) fn authorization(node: &Node, problems: &mut Problems) -> Option<Authorization> {
    let reader = Reader::new(node, "authorization", problems)?;
    let format = reader.required("format", problems);
    let config = reader.node("config").and_then(|node| Reader::new(node, "authorization config", problems));
    reader.finish(problems);
    let Some(config) = config else {
        problems.add(&node.place, "authorization needs `config`", None);
        return None;
    };
    let need = |key: &'static str, problems: &mut Problems| {
        config.required(key, problems);
        config.text_template(key, problems)
    };
    let authorization = match format.as_str() {
        "header" => Authorization::Header {
            name: config.required("header_name", problems).to_ascii_lowercase(),
            value: need("header_value", problems)?,
        },
        "bearer" => Authorization::Bearer { token: need("token", problems)? },
        "query" => {
            Authorization::Query { name: config.required("name", problems), value: need("value", problems)? }
        }
        "basic" => Authorization::Basic {
            username: config.template("username", problems)?,
            password: config.template("password", problems)?,
        },
        "oauth2_client_credentials" => Authorization::ClientCredentials {
            token_url: need("token_url", problems)?,
            client_id: need("client_id", problems)?,
            client_secret: need("client_secret", problems)?,
            scopes: config.texts("scope", problems),
            in_body: config.text("credentials_in", problems).unwrap_or("body") == "body",
        },
        other => {
            let known = ["header", "bearer", "query", "basic", "oauth2_client_credentials"];
            one_of(other, &known, &node.place, problems);
            return None;
        }
    };
    config.finish(problems);
    Some(authorization)
}
