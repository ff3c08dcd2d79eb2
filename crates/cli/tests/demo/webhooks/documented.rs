//! The snippets of docs/webhooks.md do what they say, where their interpreter is present. (The Rust one is a doc test.)

use std::process::Command;

use serde_json::{Value, json};

use super::support::{Home, receiver};

const PAGE: &str = include_str!("../../../../../docs/webhooks.md");

/// The first snippet in this language.
fn snippet(language: &str) -> &'static str {
    let rest = PAGE.split(&format!("```{language}\n")).nth(1).unwrap();
    rest.split("```").next().unwrap()
}

/// What an interpreter prints for a program; `None` without the interpreter.
#[expect(clippy::print_stderr, reason = "the test's own output says why it did nothing")]
fn run(interpreter: &str, file: &std::path::Path, args: &[&str]) -> Option<String> {
    let output = match Command::new(interpreter).arg(file).args(args).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("no {interpreter}: its snippet was not run");
            return None;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn signatures_are_verified_as_the_page_says() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let (webhook, secret) = gateway.webhook(&receiver.url("/hook"), json!([])).await;
    let (status, _) = gateway.call("POST", "/webhook/test", &json!({"id": webhook})).await;
    assert_eq!(status, 200);
    let delivery = &receiver.received("/hook")[0];
    let body = home.folder.path().join("body");
    std::fs::write(&body, &delivery.body).unwrap();
    let signature = delivery.header("x-truto-signature");

    let python = "import sys\nbody = open(sys.argv[2], 'rb').read()\n\
        print(*(is_from_koine(sys.argv[1], *given) for given in \
        [(body, sys.argv[3]), (body + b' ', sys.argv[3]), (body, 'é'), (body, '')]))\n";
    let kept = "import json\ngiven = json.loads(sys.argv[4])\nlater = dict(given, **{'Webhook-Timestamp': '1'})\n\
        import time as clock\n\
        fresh = [is_from_koine_now(sys.argv[1], body, headers) for headers in (given, later)]\n\
        clock.time = lambda: int(given['Webhook-Timestamp']) + 301\n\
        print(*fresh, is_from_koine_now(sys.argv[1], body, given))\n";
    let python = format!("{python}{kept}");
    let names = ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"];
    let headers: Value =
        names.map(|name| (name.to_owned(), json!(delivery.header(name)))).into_iter().collect();
    let headers = headers.to_string();
    let javascript = "import { readFileSync } from 'node:fs';\nconst [secret, file, signature] = process.argv.slice(2);\n\
        const body = readFileSync(file);\n\
        console.log([[body, signature], [Buffer.concat([body, body]), signature], [body, 'é'], [body, '']]\
        .map(([body, signature]) => isFromKoine(secret, body, signature)).join(' '));\n";
    for (interpreter, language, ending, driver, expected) in [
        ("python3", "python", "py", python.as_str(), "true false false false\ntrue false false"),
        ("node", "javascript", "mjs", javascript, "true false false false"),
    ] {
        let file = home.folder.path().join(format!("verify.{ending}"));
        std::fs::write(&file, format!("{}\n{driver}", snippet(language))).unwrap();
        let printed = run(interpreter, &file, &[&secret, body.to_str().unwrap(), signature, &headers]);
        if let Some(printed) = printed {
            assert_eq!(printed.trim().to_lowercase(), expected, "{language}");
        }
    }
}

#[tokio::test]
async fn every_event_of_the_page_can_be_asked_for() {
    let (home, receiver) = (Home::new(&[]), receiver().await);
    let gateway = home.serve().await;
    let table = PAGE.split("## Events").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    let names =
        table.lines().skip(2).flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let names: Vec<&str> = names.collect();
    assert!(names.len() >= 13, "{names:?}");
    gateway.webhook(&receiver.url("/hook"), json!(names)).await;
}
