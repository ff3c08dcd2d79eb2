//! The catalogue is embedded by a macro that does not tell cargo what it read.

fn main() {
    for folder in ["connectors", "models"] {
        println!("cargo:rerun-if-changed=../../{folder}");
    }
}
