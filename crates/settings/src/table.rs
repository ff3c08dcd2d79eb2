//! Every setting, in one place.

use std::path::PathBuf;

use koine_model::Secret;

use crate::value::{
    Addresses, DatabaseUrl, LogFormat, Moves, Origins, Pauses, ProxyUrl, PublicUrl, Seconds, Size, SocketAt,
};

settings! {
    "Serving" {
        /// The address to listen on. `unix:/run/koine/koine.sock` is a socket for a reverse proxy on the same machine.
        listen: SocketAt = "127.0.0.1:8585";
        /// Where browsers and customers reach this gateway: links to the connect page and the redirect URI of OAuth
        /// begin with it. Behind a reverse proxy it is the proxy's address.
        public_url: PublicUrl;
        /// Who may frame the page on which customers connect accounts, and is told the result.
        connect_origins: Origins = "";
        /// Reverse proxies whose `Forwarded` and `X-Forwarded-…` headers are believed. From anybody else they are
        /// ignored. The peer of a socket is believed always.
        trusted_proxies: Addresses = "";
        /// How long calls under way may take after SIGTERM. What is cut off then is settled at the next start.
        shutdown_grace: Seconds<0, 3600> = "30";
    }
    "Data and keys" {
        /// The folder of the database, made when it is missing.
        data_dir: PathBuf = "koine-data";
        /// Another database than `koine.db` in that folder.
        database_url: DatabaseUrl;
        /// The master key, which `koine key generate` makes: credentials are encrypted with it.
        master_key: Secret;
        /// A file with the master key, which only the gateway's user should be able to read.
        master_key_file: PathBuf;
        /// A program, with its arguments, that prints the master key. It is run without a shell.
        master_key_command: String;
        /// Keys that the database may still be under: `koine key rotate` puts it under the first of the others.
        master_key_previous: Secret;
    }
    "Connectors" {
        /// A folder of connectors, laid over the built-in ones.
        connectors_dir: PathBuf;
        /// Addresses in place of vendors' own, for emulators and gateways in front of a vendor. A key is a connector,
        /// for its base URL; the beginning of a token endpoint's URL; or both with a blank between.
        base_urls: Moves = "";
    }
    "Outgoing calls" {
        /// Ranges that outgoing calls may reach besides public addresses, for vendors inside your network. Only
        /// there is plain http allowed.
        allow_addresses: Addresses = "";
        /// A proxy that all outgoing calls go through, but those to `allow_addresses`.
        egress_proxy: ProxyUrl;
        /// Certificates of authorities to believe besides the system's, for vendors, the egress proxy and a PostgreSQL
        /// whose URL says `sslmode=verify-full`.
        extra_ca_file: PathBuf;
        /// The longest exchange with a vendor.
        upstream_timeout: Seconds<1, 300> = "30";
        /// The longest time to reach a vendor: look-up, TCP and TLS.
        upstream_connect_timeout: Seconds<1, 60> = "5";
        /// The largest answer of a vendor, unpacked.
        upstream_answer_limit: Size = "10MiB";
    }
    "Webhooks" {
        /// Ranges that deliveries to webhooks may reach besides public addresses; only there is plain http allowed. Not
        /// those of `allow_addresses`: whoever holds a token names the address of a webhook.
        webhook_allow_addresses: Addresses = "";
        /// The longest attempt to deliver to a webhook.
        webhook_timeout: Seconds<1, 60> = "10";
        /// The pause before each further attempt; after the last one a delivery has failed.
        webhook_retries: Pauses = "1,3,9,60,300,1800,7200,21600,54000";
    }
    "Log" {
        /// What is logged, on stderr: `error`, `warn`, `info`, `debug`, or a filter such as
        /// `info,koine_upstream=debug`. `RUST_LOG` goes before it.
        log: String = "info";
        /// How: lines for people, or one JSON object per line.
        log_format: LogFormat = "text";
    }
}
