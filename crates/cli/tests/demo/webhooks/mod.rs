//! Webhooks through public doors: the binary, its API and commands, and a receiver on loopback.

mod crashes;
mod deliveries;
mod documented;
mod guards;
mod log;
mod support;
