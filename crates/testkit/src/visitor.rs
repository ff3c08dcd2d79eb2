//! A browser without scripts, as far as the page on which customers connect accounts needs one.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::http::{self, Answer};

/// Somebody on a page. Redirects within the origin are followed, cookies are kept.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Whose pages it looks at, without a slash at the end.
    pub origin: String,
    /// Where it is: a path, with its query.
    pub here: String,
    /// What it last saw.
    pub page: Answer,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Opens a link; `more` are further parameters, each with its `&`.
    ///
    /// # Panics
    /// When the link does not open.
    pub async fn open(origin: &str, link_token: &str, more: &str) -> Self {
        let mut visitor = Self {
            origin: origin.to_owned(),
            here: String::new(),
            page: Answer { status: 0, headers: Vec::new(), body: Vec::new() },
            cookies: BTreeMap::new(),
        };
        visitor.go(&format!("/connect-account?link_token={link_token}{more}")).await;
        assert!(!visitor.cookies.is_empty(), "the link does not open: {}", visitor.page.text());
        visitor
    }

    /// Goes there, and where it is sent from there.
    pub async fn go(&mut self, path: &str) {
        path.clone_into(&mut self.here);
        self.send("GET", path, &[]).await;
        self.follow().await;
    }

    /// Fills in the form that it sees, and sends it.
    pub async fn fill(&mut self, fields: &[(&str, &str)]) {
        let page = self.page.text();
        let hidden = |name: &str| {
            let after = page.split(&format!(r#"name="{name}" value=""#)).nth(1).unwrap_or_default();
            after.split('"').next().unwrap_or_default().to_owned()
        };
        let mut form = Serializer::new(String::new());
        form.append_pair("form_key", &hidden("form_key")).append_pair("way", &hidden("way"));
        for (name, value) in fields {
            form.append_pair(&format!("field.{name}"), value);
        }
        let action = page.split(r#"<form method="post" action=""#).nth(1).unwrap_or_default();
        let action = action.split('"').next().unwrap_or_default();
        let to = if action.is_empty() { self.here.split('?').next().unwrap_or_default() } else { action };
        let to = to.to_owned();
        self.post(&to, &form.finish()).await;
        self.follow().await;
    }

    /// Sends any form anywhere, and stays where it is sent from there.
    pub async fn post(&mut self, path: &str, form: &str) {
        self.send("POST", path, form.as_bytes()).await;
    }

    /// Whether the page says that.
    #[must_use]
    pub fn sees(&self, words: &str) -> bool {
        self.page.text().contains(words)
    }

    /// What the window that opened the page is told.
    ///
    /// # Panics
    /// When the page tells nothing.
    #[must_use]
    pub fn result(&self) -> Value {
        let page = self.page.text();
        let after = page.split(r#"data-result=""#).nth(1).unwrap_or_else(|| panic!("no result: {page}"));
        let text = unescaped(after.split('"').next().unwrap_or_default());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Where the page sends people by itself.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn next(&self) -> Url {
        let page = self.page.text();
        let after =
            page.split("content=\"0; url=").nth(1).unwrap_or_else(|| panic!("it leads nowhere: {page}"));
        let text = unescaped(after.split('"').next().unwrap_or_default());
        Url::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// A cookie's value.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    async fn follow(&mut self) {
        for _ in 0..5 {
            let Some(to) = self.page.header("location").filter(|_| self.page.status == 303) else { return };
            self.here = to.to_owned();
            self.send("GET", &self.here.clone(), &[]).await;
        }
        panic!("sent around for ever: {}", self.here);
    }

    async fn send(&mut self, verb: &str, path: &str, form: &[u8]) {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [("cookie", cookies.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let url = format!("{}{path}", self.origin);
        self.page = http::request(verb, &url, &headers, form).await.expect("a gateway that answers");
        for (name, value) in &self.page.headers {
            let pair = value.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((cookie, value)) = pair.filter(|_| name.eq_ignore_ascii_case("set-cookie")) {
                self.cookies.insert(cookie.to_owned(), value.to_owned());
            }
        }
    }
}

fn unescaped(text: &str) -> String {
    let known = [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&lt;", "<"),
        ("&gt;", ">"),
    ];
    let text = known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&#38;", "&").replace("&amp;", "&")
}
