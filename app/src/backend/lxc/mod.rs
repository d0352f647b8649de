//! LXC.
