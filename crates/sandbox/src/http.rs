//! Connections, and the faults that only a connection can show.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::fault::{Fault, Kind};
use crate::reply::Answer;
use crate::request::Request;
use crate::{World, control, lock};

/// Largest body that is read.
const LARGEST_BODY: usize = 4 << 20;

type Body = UnsyncBoxBody<Bytes, Cut>;

/// The connection is to end here, without (the rest of) an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on demand")
    }
}

impl std::error::Error for Cut {}

/// Accepts until it is aborted; the connections end with it.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the sandbox could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let world = world.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(world.clone(), request));
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

async fn answer(world: Arc<World>, incoming: hyper::Request<Incoming>) -> Result<hyper::Response<Body>, Cut> {
    let request = read(incoming).await?;
    let parts: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["_sandbox", path @ ..] => Ok(response(&control::answer(&world, &request, path))),
        [vendor, ..] => {
            let name = (*vendor).to_owned();
            vendor_answer(&world, &name, request).await
        }
        [] => Ok(response(&Answer::text(200, "the sandbox; docs/sandbox.md says what it does\n"))),
    }
}

async fn vendor_answer(
    world: &World,
    name: &str,
    mut request: Request,
) -> Result<hyper::Response<Body>, Cut> {
    let Some(vendor) = world.vendors.iter().find(|vendor| lock(vendor).name == name) else {
        return Ok(response(&Answer::text(404, &format!("the sandbox has no vendor `{name}`\n"))));
    };
    request.path.remove(0);
    let below = format!("/{}", request.path.join("/"));
    let fault = lock(&world.faults).take(name, &request.verb, &below);
    let answer = {
        let mut vendor = lock(vendor);
        match fault {
            Some(fault) => faulty(&mut vendor, &request, fault),
            None => Some(vendor.answer(&request, false)),
        }
    };
    lock(&world.seen).push(json!({
        "vendor": name, "method": request.verb, "path": below,
        "status": answer.as_ref().map(|answer| answer.status), "fault": fault.map(|fault| fault.kind.name()),
    }));
    deliver(answer, fault).await
}

/// What the vendor does under a fault; `None` when it never saw the request.
fn faulty(vendor: &mut crate::vendor::Vendor, request: &Request, fault: Fault) -> Option<Answer> {
    match fault.kind {
        Kind::LoseRequest | Kind::Never => None,
        Kind::Throttle => Some(vendor.throttled(request)),
        Kind::ThrottleBare => Some(Answer { status: 429, headers: Vec::new(), body: Bytes::new() }),
        Kind::Status => Some(Answer::text(fault.status, "on demand\n")),
        Kind::StatusAfter => {
            vendor.answer(request, false);
            Some(Answer::text(fault.status, "on demand, after the effect\n"))
        }
        Kind::StaleReads => Some(vendor.answer(request, true)),
        Kind::Html => {
            let mut page = Answer::text(200, "<!DOCTYPE html><title>Sign in</title><p>Please sign in.</p>");
            page.headers = vec![("content-type".to_owned(), "text/html".to_owned())];
            Some(page)
        }
        Kind::LoseAnswer | Kind::Slow | Kind::Truncated | Kind::WrongJson | Kind::Huge => {
            Some(vendor.answer(request, false))
        }
    }
}

async fn deliver(answer: Option<Answer>, fault: Option<Fault>) -> Result<hyper::Response<Body>, Cut> {
    let kind = fault.map(|fault| fault.kind);
    match (kind, &answer) {
        (Some(Kind::Never), _) => std::future::pending::<()>().await,
        (Some(Kind::Slow), _) => {
            tokio::time::sleep(Duration::from_millis(fault.map_or(0, |fault| fault.ms))).await;
        }
        _ => {}
    }
    let Some(mut answer) = answer.filter(|_| kind != Some(Kind::LoseAnswer)) else { return Err(Cut) };
    match kind {
        Some(Kind::Truncated) => Ok(cut_short(&answer)),
        Some(Kind::Huge) => Ok(endless(&answer)),
        Some(Kind::WrongJson) => {
            answer.status = 200;
            answer.body = Bytes::from_static(b"{\"id\": \"1\", \"name\": [");
            Ok(response(&answer))
        }
        _ => Ok(response(&answer)),
    }
}

async fn read(incoming: hyper::Request<Incoming>) -> Result<Request, Cut> {
    let (head, body) = incoming.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| Cut)?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Request::new(head.method.as_str(), path, &headers, &text))
}

fn head(answer: &Answer) -> hyper::http::response::Builder {
    let mut builder = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder
}

/// A header that the data made impossible is a fault of the sandbox, said aloud.
fn built(made: Result<hyper::Response<Body>, hyper::http::Error>) -> hyper::Response<Body> {
    made.unwrap_or_else(|error| {
        let mut response = hyper::Response::new(whole(error.to_string().into()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

fn response(answer: &Answer) -> hyper::Response<Body> {
    built(head(answer).body(whole(answer.body.clone())))
}

fn cut_short(answer: &Answer) -> hyper::Response<Body> {
    let half = answer.body.slice(..answer.body.len() / 2);
    let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(async {
        // so that the first half leaves before the connection ends
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(Cut)
    }));
    built(
        head(answer).header("content-length", answer.body.len()).body(StreamBody::new(frames).boxed_unsync()),
    )
}

fn endless(answer: &Answer) -> hyper::Response<Body> {
    let chunk = Bytes::from(vec![b' '; 64 << 10]);
    let frames = stream::repeat_with(move || Ok(Frame::data(chunk.clone())));
    built(head(answer).body(StreamBody::new(frames).boxed_unsync()))
}
