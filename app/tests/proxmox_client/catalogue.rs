//! Every sentence that Paddock understands and that is in the peer's catalogue of Proxmox's errors: provoked there,
//! and understood here.

use app::{
    backend::{
        Error,
        proxmox::refuse::{MESSAGES, Meaning, Seen},
    },
    domain::plan::{Answer, Method},
};
use serde_json::json;

use crate::{api, called, fakepve::FakePve};

#[tokio::test]
async fn every_catalogued_sentence_is_understood() {
    let fake = FakePve::start();
    let client = fake.client();
    let mut count = 0;
    for row in MESSAGES {
        let Seen::Catalogued(request, name) = row.seen else { continue };
        let (method, path) = request.split_once(' ').unwrap();
        fake.call("failures.clear", json!([]));
        fake.fail(method, path, name);
        let (method, answer) = match method {
            "GET" => (Method::Get, Answer::Plain),
            "POST" => (Method::Post, Answer::Task),
            "PUT" => (Method::Put, Answer::Task),
            "DELETE" => (Method::Delete, Answer::Task),
            other => panic!("{other}"),
        };
        let result = called(&client, &api(method, path, answer)).await;
        let error = result.expect_err(request);
        let is_meant = match (row.meaning, &error) {
            (Meaning::NotFound, Error::NotFound(_))
            | (Meaning::AlreadyExists, Error::AlreadyExists(_))
            | (Meaning::WrongState, Error::WrongState { .. })
            | (Meaning::Locked | Meaning::Busy, Error::Locked { .. })
            | (Meaning::Denied, Error::Denied { .. })
            | (Meaning::TimedOut, Error::TimedOut { .. })
            | (Meaning::Changed, Error::NotEdited { .. }) => true,
            (Meaning::Invalid(wanted), Error::Invalid { field, .. }) => *field == wanted,
            (Meaning::NotReady(wanted), Error::NotReady { cure, .. })
            | (Meaning::Unavailable(wanted), Error::Unavailable { cure, .. }) => cure == wanted,
            _ => false,
        };
        assert!(is_meant, "{request} {name}: {:?} became {error:?}", row.meaning);
        count += 1;
    }
    assert!(count > 40, "{count}");
}
