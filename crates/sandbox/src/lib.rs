//! The stand-in for all vendors: one server that interprets every `sandbox.yaml` (see `docs/sandbox.md`).
//!
//! A request goes `http` -> `fault` -> `vendor` (credentials, rate limit, route) -> `answer`; `control` serves
//! the sandbox's own paths. Nothing here reads a `connector.yaml`, a mapping or a plan: a connector and its
//! sandbox must not be able to agree on the same mistake.

mod answer;
mod case;
mod compile;
mod control;
mod fault;
mod http;
mod page;
mod people;
mod reply;
mod request;
mod spec;
mod state;
mod vendor;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use koine_connector::Problems;
use koine_connector::catalogue::Files;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use case::{Case, CaseCall};
use fault::Faults;
pub use vendor::Vendor;

/// A vendor that the sandbox stands in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The connector's name.
    pub name: String,
    /// What takes the place of the connector's base URL.
    pub base_url: String,
    /// The credential fields of an account that it accepts.
    pub context: Map<String, Value>,
    /// Which of these were made for this run: private keys.
    pub made: Vec<String>,
    /// What takes the place of the vendor's other addresses: beginning of a URL -> URL.
    pub elsewhere: Vec<(String, String)>,
}

impl StandIn {
    /// What an operator writes to send the connector here instead of to the vendor: key -> URL.
    #[must_use]
    pub fn base_urls(&self) -> Vec<(String, String)> {
        let own = (self.name.clone(), self.base_url.clone());
        // With the connector's name: other vendors may have the same address.
        let others =
            self.elsewhere.iter().map(|(prefix, url)| (format!("{} {prefix}", self.name), url.clone()));
        std::iter::once(own).chain(others).collect()
    }
}

/// All stand-ins at their start, before they are served.
#[derive(Debug)]
pub struct Sandbox {
    vendors: Vec<Vendor>,
}

/// The sandbox while it is served; it stops when dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stand_ins: Vec<StandIn>,
    world: Arc<World>,
    task: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
struct World {
    vendors: Vec<Mutex<Vendor>>,
    faults: Mutex<Faults>,
    seen: Mutex<Vec<Value>>,
}

impl Sandbox {
    /// Compiles every `sandbox.yaml` among the files; the seed decides who the people are.
    ///
    /// # Errors
    /// All problems of all of them, each with its place.
    pub fn new(files: &Files, seed: u64) -> Result<Self, Problems> {
        Self::with_people(files, seed, people::HOW_MANY)
    }

    /// The same with fewer people, for tests that run it often.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn with_people(files: &Files, seed: u64, count: usize) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut people = people::everyone(seed);
        people.truncate(count);
        let people: Arc<[Value]> = people.into();
        let mut vendors = Vec::new();
        for name in files.keys().filter_map(|file| file.strip_suffix("/sandbox.yaml")) {
            if let Some(spec) = compile::vendor(name, files, &mut problems) {
                match Vendor::new(name, spec, Arc::clone(&people)) {
                    Ok(vendor) => vendors.push(vendor),
                    Err(problem) => problems.0.push(problem),
                }
            }
        }
        if problems.0.is_empty() {
            return Ok(Self { vendors });
        }
        problems.0.sort();
        Err(problems)
    }

    /// All of them, by name.
    pub fn vendors(&self) -> impl Iterator<Item = (&str, &Vendor)> {
        self.vendors.iter().map(|vendor| (vendor.name.as_str(), vendor))
    }

    /// One of the vendors, to exchange with it without a network.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.name == name)
    }

    /// Serves on the listener until the result is dropped.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(self, listener: TcpListener) -> std::io::Result<Serving> {
        let address = listener.local_addr()?;
        let origin = format!("http://{address}");
        let stand_ins = self.vendors.iter().map(|vendor| vendor.stand_in(&origin)).collect();
        let world = Arc::new(World {
            vendors: self.vendors.into_iter().map(Mutex::new).collect(),
            faults: Mutex::default(),
            seen: Mutex::default(),
        });
        let task = tokio::spawn(http::serve(listener, Arc::clone(&world)));
        Ok(Serving { address, stand_ins, world, task })
    }
}

impl Serving {
    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The vendors, by name.
    #[must_use]
    pub fn stand_ins(&self) -> &[StandIn] {
        &self.stand_ins
    }

    /// A copy of a vendor as it is now.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<Vendor> {
        self.world.vendors.iter().find_map(|vendor| {
            let vendor = lock(vendor);
            (vendor.name == name).then(|| vendor.clone())
        })
    }

    /// Makes a vendor what it was at the start.
    pub fn reset(&self, name: &str) {
        for vendor in &self.world.vendors {
            let mut vendor = lock(vendor);
            if vendor.name == name {
                vendor.reset();
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A panic of another connection must not take the sandbox down.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
