//! The Proxmox client against a fake Proxmox VE.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "backend")]

#[path = "../common/fakepve.rs"]
mod fakepve;

#[test]
fn the_fake_starts_and_obeys() {
    let fake = fakepve::FakePve::start();
    fake.add_ct(101, "web1", "running");
    assert_eq!(fake.get_guest(101, "status"), "running");
}
