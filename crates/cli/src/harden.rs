//! What keeps the memory of this process, which holds keys, from being written or looked at.

/// No core dumps, and no looking in by other processes of the same user. Before anything secret is read.
#[cfg(target_os = "linux")]
pub(crate) fn against_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A kernel that refuses leaves the process as every other is: said, and no reason to stop.
    for refused in
        [setrlimit(Resource::Core, none).err(), set_dumpable_behavior(DumpableBehavior::NotDumpable).err()]
            .into_iter()
            .flatten()
    {
        eprintln!("koine: core dumps could not be switched off: {refused}");
    }
}

/// Elsewhere there is no way without unsafe code.
#[cfg(not(target_os = "linux"))]
pub(crate) fn against_dumps() {}
