//! Things by their names.

/// Things by name, in the order in which a file gives them. Names come from connectors and models, so the hash may be the
/// quick one: nobody who calls chooses keys here.
pub type NameMap<V, K = String> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;
