//! Processes, and what the kernel accounts to them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long something may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds a package as it is shipped.
pub(super) fn build(package: &str) -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status =
        Command::new(cargo).args(["build", "--profile", "dist", "-p", package]).current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo build -p {package}: {status}")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// A binary as it is shipped.
pub(super) fn binary(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("dist").join(name)
}

/// Whether a program is there; what to install if not.
pub(super) fn need(program: &str, package: &str) -> Result<(), String> {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("{program} is missing; install the package {package}")),
    }
}

/// A port that nobody has at the moment.
pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// A process that ends with its value.
pub(super) struct Running {
    child: Child,
    /// Milliseconds from its start to its first good answer.
    pub(super) ready_ms: f64,
}

impl Running {
    /// Starts a program and waits until `GET path` on the port answers 200.
    pub(super) fn start(command: &mut Command, port: u16, path: &str) -> Result<Self, String> {
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
        let mut running = Self { child, ready_ms: 0.0 };
        while !answers(port, path) {
            if started.elapsed() > PATIENCE || running.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Err(format!("{:?} does not answer on port {port}", command.get_program()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        running.ready_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(running)
    }

    /// The process and its children, such as nginx's workers.
    fn pids(&self) -> Vec<u32> {
        let own = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(own).chain(children).collect()
    }

    /// User and system time so far, in microseconds.
    pub(super) fn cpu_us(&self) -> Result<f64, String> {
        self.pids().into_iter().map(cpu_of).sum()
    }

    /// Resident memory now.
    pub(super) fn memory_kib(&self) -> Result<u64, String> {
        self.pids().into_iter().map(|pid| status_of(pid, "VmRSS:")).sum()
    }

    /// The most that was ever resident.
    pub(super) fn peak_memory_kib(&self) -> Result<u64, String> {
        self.pids().into_iter().map(|pid| status_of(pid, "VmHWM:")).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // SIGTERM first: nginx takes its workers with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fields 14 and 15 of `/proc/PID/stat`, in ticks of which Linux counts 100 a second everywhere.
fn cpu_of(pid: u32) -> Result<f64, String> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| format!("{pid}: {error}"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) * 10_000.0),
        _ => Err(format!("/proc/{pid}/stat cannot be read")),
    }
}

fn status_of(pid: u32, key: &str) -> Result<u64, String> {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| format!("{pid}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let value = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    value.ok_or_else(|| format!("/proc/{pid}/status has no {key}"))
}

fn answers(port: u16, path: &str) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = [0; 12];
    let timeout = stream.set_read_timeout(Some(Duration::from_secs(2)));
    timeout.is_ok()
        && stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer.ends_with(b" 200")
}
