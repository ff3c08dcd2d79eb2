//! Servers other people wrote, and what was measured about them.

use std::io::Result;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::http::{self, Answer};
use crate::launch::{Launched, POLL, free_port, installed, repository};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A server on a free loopback port with a fresh seed, killed when dropped. All state is in its memory.
///
/// # Okta and GitHub: `emulate` 0.8.0
/// `node dist/index.js start --service okta --port N --seed FILE` (YAML or JSON). Common to both:
/// - **any** non-empty token is accepted, an unknown one acts as the first user of the seed; only a request
///   without a token is refused (401). After 5000 requests with one token the answer is 403.
/// - bodies are chunked; `X-RateLimit-*` comes with every answer; unknown paths give a JSON 404
/// - paging is `page` and `per_page` (30, at most 100) with `Link: …; rel="next"`; `Link` is built from the
///   request's `Host`, other URLs in bodies from `--base-url`
/// - it would listen on all interfaces; `tools/loopback.mjs` keeps it on 127.0.0.1
///
/// # OAuth 2: `oidc-provider` 9.13.3
/// `tools/authorization-server.mjs`; see [`RealServer::authorization_server`].
///
/// # SCIM: `scim2-server` 0.8.3
/// `scim2-server --hostname 127.0.0.1 --port N --bearer-token T`; see [`RealServer::scim2`].
#[derive(Debug)]
pub struct RealServer {
    running: Launched,
    url: String,
    authorization: &'static str,
    _seed: Option<NamedTempFile>,
}

/// What an authorization server makes of refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshing {
    /// Each is good for one use, and is replaced by another.
    Once,
    /// They stay as they are.
    Often,
}

impl RealServer {
    /// Okta's API at `/api/v1`, seeded with `seeds/okta.yaml`: users `00uboss`, `00uann`, `00ubob`, `00ucleo`
    /// (suspended) with logins `…@acme.test`, groups `00gops` (ann) and `00gdev` (ann, bob); the emulator
    /// adds `testuser@okta.local` and the group `00g_everyone`, whose only member is that user.
    ///
    /// - `Authorization: SSWS t` or `Bearer t`; `{id}` of a user may also be login or email
    /// - `GET /users`: `limit` and `after` are **ignored** (always 30 per page, `per_page` works), `search`
    ///   and `q` are plain substring matches (a real `profile.email eq "x"` finds nothing), `filter` knows
    ///   `status eq "…"` only; deprovisioned users **are** listed; `X-Total-Count` is the number of all
    /// - `POST /users?activate=true` `{profile: {login, email, firstName, lastName}}`: 201; taken: 400
    ///   `E0000001`
    /// - **`DELETE /users/{id}`: the first call deactivates (`DEPROVISIONED`, 204, memberships stay), the
    ///   second deletes (204, memberships go), the third is 404 `E0000007`**. After
    ///   `POST …/lifecycle/deactivate` (200 with the user, also when it was deactivated before) one call
    ///   deletes.
    /// - `POST …/lifecycle/{activate,suspend,unsuspend}`: 200 from every status; the emulator refuses none
    /// - `GET /groups`, `POST /groups` `{profile: {name}}`, `GET /groups/{id}/users` and
    ///   `GET /users/{id}/groups` (never paged), `PUT` and `DELETE /groups/{id}/users/{user}`: 204 whether
    ///   anything changed or not, 404 for an unknown user
    /// - not there: sessions, factors, grants, roles, app links, API tokens, logs (404)
    ///
    /// # Panics
    /// When it is not installed or does not answer within 60 seconds.
    pub async fn okta_emulator() -> Self {
        let seed = include_str!("../seeds/okta.yaml");
        Self::emulator("okta", seed, "SSWS okta-token", "/api/v1/users/me").await
    }

    /// GitHub's API without a prefix (`/orgs/acme/…`), seeded with `seeds/github.yaml` and then over the API:
    /// org `acme` with admin `boss` and members `ann`, `bob`; team `platform` with `ann`. `cleo` is a user
    /// outside the org. The emulator adds the users `ghost` and `admin`.
    ///
    /// - `Authorization: Bearer t`; users and orgs can only come from the seed, members and teams only over
    ///   the API
    /// - **membership of the org is membership of any of its teams**: the org's own list is kept in a team
    ///   `members` that shows up in `GET /orgs/acme/teams`; taking the last team from somebody takes the org
    ///   too. A maintainer of any team is an admin of the org (which is how the first admin is made: any
    ///   token may create teams and put people into them).
    /// - `GET /orgs/{org}/members` (`role=all|admin|member`), `GET …/members/{login}`: 204 or 404;
    ///   `GET …/memberships/{login}`: role and state (always `active`), 404; `PUT …/memberships/{login}`
    ///   `{"role": "admin"|"member"}`: 200, admins only (403), the user must exist (404)
    /// - **`DELETE /orgs/{org}/members/{login}`: 204, out of all teams of the org; 204 again for somebody who
    ///   is no member**, 404 for an unknown user, 403 for who is no admin
    /// - **`DELETE /orgs/{org}/memberships/{login}` does not exist (404)**, nor do invitations, outside
    ///   collaborators, SCIM and SSO endpoints
    /// - `POST /orgs/{org}/teams` `{"name": …}`: 201, slug from the name; `GET …/teams/{slug}/members`,
    ///   `PUT …/teams/{slug}/memberships/{login}` `{"role": "member"|"maintainer"}`: 200;
    ///   `DELETE` of it: 204 whether it was there or not; `GET` of it: 200 or 404
    /// - `GET /users` pages with `since`, `GET /user` is the token's user
    ///
    /// # Panics
    /// When it is not installed, does not answer within 60 seconds, or refuses the seed.
    pub async fn github_emulator() -> Self {
        let server =
            Self::emulator("github", include_str!("../seeds/github.yaml"), "Bearer github-token", "/user")
                .await;
        server.seed("POST", "/orgs/acme/teams", json!({ "name": "Owners" })).await;
        server.seed("PUT", "/orgs/acme/teams/owners/memberships/boss", json!({ "role": "maintainer" })).await;
        for (login, role) in [("boss", "admin"), ("ann", "member"), ("bob", "member")] {
            server.seed("PUT", &format!("/orgs/acme/memberships/{login}"), json!({ "role": role })).await;
        }
        server.seed("POST", "/orgs/acme/teams", json!({ "name": "Platform" })).await;
        server.seed("PUT", "/orgs/acme/teams/platform/memberships/ann", json!({ "role": "member" })).await;
        server
    }

    /// A SCIM 2.0 server at `/v2` (the same without the prefix), empty; fill it with [`RealServer::call`].
    ///
    /// - `POST /v2/Users` and `/v2/Groups` with `schemas` and `userName` or `displayName`: 201 with the
    ///   record; ids are 32 hex digits; content type `application/json` is accepted too. A `userName` taken
    ///   twice: 409 `uniqueness`. `active` is absent until somebody sets it.
    /// - **`PATCH` answers 204 without a body**, also when it changed nothing (the `ETag` tells): `replace`
    ///   of `active`, `add` to `members`, `remove` with the path `members[value eq "id"]`
    /// - `DELETE /v2/Users/{id}`: 204, then 404; **the deleted id stays in the `members` of groups**, and
    ///   records of users carry no `groups`
    /// - lists: `startIndex`, `count`, `filter` (full language), `totalResults`; beyond the end: no records
    /// - answers are **HTTP/1.0** with `Content-Length` and a closed connection; no or a wrong token: 401
    ///
    /// # Panics
    /// When it is not installed or does not answer within 60 seconds.
    pub async fn scim2() -> Self {
        let command = |port: u16| {
            let mut command = Command::new(installed("venv/bin/scim2-server"));
            command.args(["--hostname", "127.0.0.1", "--port", &port.to_string()]);
            command.args(["--bearer-token", "scim-token"]);
            command
        };
        Self::start("scim2-server", command, "Bearer scim-token", "/v2/ServiceProviderConfig", None).await
    }

    /// An OAuth 2 and OpenID Connect server: `/auth`, `/token`, `/token/revocation`, and `/whoami`, which tells whose
    /// the access token is. Its one client is `koine` with the secret `made-up-secret-of-the-app` (HTTP basic) and this redirect
    /// URI; its access tokens live so many seconds.
    ///
    /// - PKCE is required; `scope=openid offline_access` with `prompt=consent` brings a refresh token
    /// - **with [`Refreshing::Once`] a refresh token is good for one use: using it once more ends the whole grant**
    ///   (400 `invalid_grant`)
    /// - an access token is taken 15 seconds longer than it lives: clocks may differ
    /// - answers of `/auth` carry `iss`
    /// - `client_credentials` give the client a token of its own, of the same life
    /// - the person's pages take `prompt=login&login=…&password=…`, then `prompt=consent`, as forms; `…/abort` says no
    ///
    /// # Panics
    /// When it is not installed or does not answer within 60 seconds.
    pub async fn authorization_server(
        redirect_uri: &str,
        access_token_seconds: u32,
        refreshing: Refreshing,
    ) -> Self {
        let script = repository().join("tools/authorization-server.mjs");
        let seconds = access_token_seconds.to_string();
        let uses = match refreshing {
            Refreshing::Once => "once",
            Refreshing::Often => "often",
        };
        let command = |port: u16| {
            let mut command = Command::new("node");
            command.arg(&script).arg(installed("npm")).args([
                &port.to_string(),
                redirect_uri,
                &seconds,
                uses,
            ]);
            command
        };
        let basic = "Basic a29pbmU6bWFkZS11cC1zZWNyZXQtb2YtdGhlLWFwcA==";
        Self::start("oidc-provider", command, basic, "/.well-known/openid-configuration", None).await
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The value of the `Authorization` header the server accepts, scheme included.
    pub fn authorization(&self) -> &'static str {
        self.authorization
    }

    /// Calls the server with its own token: to prepare a test, and to see what is really there afterwards.
    ///
    /// # Errors
    /// As for [`http::request`].
    pub async fn call(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        let mut headers = vec![("Authorization", self.authorization)];
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        http::request(method, &url, &headers, body.as_bytes()).await
    }

    async fn emulator(service: &str, seed: &str, authorization: &'static str, ready: &str) -> Self {
        let file =
            tempfile::Builder::new().suffix(".yaml").tempfile().expect("a temporary file for the seed");
        std::fs::write(file.path(), seed).expect("the seed can be written");
        let path = file.path().to_owned();
        let command = |port: u16| {
            let mut command = Command::new("node");
            command.arg("--import").arg(repository().join("tools/loopback.mjs"));
            command.arg(installed("npm/node_modules/emulate/dist/index.js"));
            command.args(["start", "--service", service, "--port", &port.to_string()]);
            command.args(["--base-url", &format!("http://127.0.0.1:{port}"), "--seed"]).arg(&path);
            command
        };
        Self::start(service, command, authorization, ready, Some(file)).await
    }

    /// Starts on a free port and waits for `ready` to answer 200; a port that was taken meanwhile is given up.
    async fn start(
        name: &str,
        command: impl Fn(u16) -> Command,
        authorization: &'static str,
        ready: &str,
        seed: Option<NamedTempFile>,
    ) -> Self {
        let deadline = Instant::now() + TIMEOUT;
        'port: loop {
            let port = free_port().expect("a free loopback port");
            let url = format!("http://127.0.0.1:{port}");
            let running = Launched::start(&mut command(port)).expect("the server's program can be started");
            let mut server = Self { running, url, authorization, _seed: None };
            loop {
                let ready = server.call("GET", ready, None).await.is_ok_and(|answer| answer.status == 200);
                let ended = server.running.ended().expect("the operating system knows about our own child");
                if ended.is_some() && server.running.stderr().to_lowercase().contains("in use") {
                    continue 'port;
                }
                if ready && ended.is_none() {
                    server._seed = seed;
                    return server;
                }
                if ended.is_some() || Instant::now() > deadline {
                    panic!("{name} did not start\n{}", server.running.report());
                }
                tokio::time::sleep(POLL).await;
            }
        }
    }

    async fn seed(&self, method: &str, path: &str, body: serde_json::Value) {
        let answer = self.call(method, path, Some(&body)).await.expect("the server answers");
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    }
}
