//! Load from wrk.

use std::process::Command;

pub(super) struct Load {
    pub(super) seconds: u32,
    pub(super) connections: u32,
}

pub(super) struct Result {
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Load {
    /// As many requests as are answered; every answer must be a success.
    pub(super) fn run(&self, url: &str, token: Option<&str>) -> std::result::Result<Result, String> {
        let mut command = Command::new("wrk");
        command.args([
            "-t1",
            "--latency",
            &format!("-c{}", self.connections),
            &format!("-d{}s", self.seconds),
        ]);
        if let Some(token) = token {
            command.args(["-H", &format!("authorization: Bearer {token}")]);
        }
        let output = command.arg(url).output().map_err(|error| format!("wrk: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
            return Err(format!("wrk on {url}:\n{text}"));
        }
        read(&text).ok_or_else(|| format!("wrk said what I do not understand:\n{text}"))
    }
}

fn read(text: &str) -> Option<Result> {
    let line = |start: &str| text.lines().map(str::trim).find_map(|line| line.strip_prefix(start));
    let requests = text.lines().map(str::trim).find(|line| line.contains(" requests in "))?;
    Some(Result {
        requests: requests.split(' ').next()?.parse().ok()?,
        per_second: line("Requests/sec:")?.trim().parse().ok()?,
        p50_ms: milliseconds(line("50%")?.trim())?,
        p99_ms: milliseconds(line("99%")?.trim())?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_wrk_says() {
        let text = "Running 8s test @ http://127.0.0.1:1/\n  Latency Distribution\n     50%  812.00us\n     75%    1.00ms\n     \
                    99%    1.20s \n  120345 requests in 8.01s, 20.00MB read\nRequests/sec:  15024.34\n";
        let result = read(text).expect("it is understood");
        assert_eq!((result.requests, result.per_second), (120_345.0, 15_024.34));
        assert_eq!((result.p50_ms, result.p99_ms), (0.812, 1200.0));
        assert!(read("nonsense").is_none());
    }
}
