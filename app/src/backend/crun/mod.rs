//! crun.
