//! Containers from a registry: the real skopeo, and a registry on loopback that serves one image by plain HTTP.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        failure::FailureKind,
        guest::GuestStatus::Running,
        spec::{OciImage, OciSpec},
    },
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::{
    crun::World,
    images::{bundle, create, layout, spec},
};

/// Answers like a registry, as far as skopeo asks when it copies: `/v2/busy` is the layout's image by the tag `1`;
/// other names stand for what a registry may say instead.
struct Registry {
    layout: PathBuf,
    manifest: String,
}

/// Status, content type, further headers, body.
type Answer = (u16, &'static str, String, Vec<u8>);

impl Registry {
    /// Its address. It answers as long as the test's runtime lives.
    async fn serve(layout: &str) -> String {
        let index = fs::read_to_string(Path::new(layout).join("index.json")).unwrap();
        let index: Value = serde_json::from_str(&index).unwrap();
        let manifest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
        let registry: &'static Self = Box::leak(Box::new(Self { layout: layout.into(), manifest }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(registry.talk(stream));
            }
        });
        address
    }

    async fn talk(&self, mut stream: TcpStream) {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                // The beginning of a TLS handshake, which skopeo tries first.
                Ok(0x16) | Err(_) => return,
                Ok(byte) => asked.push(byte),
            }
        }
        let asked = String::from_utf8_lossy(&asked).into_owned();
        let mut words = asked.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if path.contains("/slow/") {
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        let (status, kind, headers, body) = self.answer(path);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
        );
        let _ = stream.write_all(head.as_bytes()).await;
        if method != "HEAD" {
            let _ = stream.write_all(&body).await;
        }
    }

    fn answer(&self, path: &str) -> Answer {
        let error = |status, code: &str| -> Answer {
            let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{code}"}}]}}"#);
            (status, "application/json", String::new(), body.into_bytes())
        };
        let blob = |digest: &str| {
            let (algorithm, hex) = digest.split_once(':')?;
            fs::read(self.layout.join("blobs").join(algorithm).join(hex)).ok()
        };
        let last = path.rsplit('/').next().unwrap_or_default();
        match path {
            "/v2/" => (200, "application/json", String::new(), b"{}".to_vec()),
            _ if path.contains("/private/") => {
                let (status, kind, _, body) = error(401, "UNAUTHORIZED");
                (status, kind, "WWW-Authenticate: Basic realm=\"x\"\r\n".to_owned(), body)
            }
            _ if path.contains("/denied/") => error(403, "DENIED"),
            _ if path.contains("/broken/") => (500, "text/plain", String::new(), b"oops".to_vec()),
            _ if path.starts_with("/v2/busy/manifests/") && (last == "1" || last == self.manifest) => {
                let headers = format!("Docker-Content-Digest: {}\r\n", self.manifest);
                match blob(&self.manifest) {
                    Some(body) => (200, "application/vnd.oci.image.manifest.v1+json", headers, body),
                    None => error(500, "GONE"),
                }
            }
            _ if path.starts_with("/v2/busy/manifests/") => error(404, "MANIFEST_UNKNOWN"),
            _ if path.starts_with("/v2/busy/blobs/") => match blob(last) {
                Some(body) => (200, "application/octet-stream", String::new(), body),
                None => error(404, "BLOB_UNKNOWN"),
            },
            _ => error(404, "NAME_UNKNOWN"),
        }
    }
}

fn of(image: impl Into<String>) -> OciSpec {
    spec(OciImage::Registry(image.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_of_a_registry_becomes_a_container() {
    let world = World::new();
    let source = layout(&world);
    let registry = Registry::serve(&source).await;
    let manifest = fs::read_to_string(Path::new(&source).join("index.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let digest = manifest["manifests"][0]["digest"].as_str().unwrap().to_owned();
    for (word, image) in
        [("tag", format!("{registry}/busy:1")), ("digest", format!("{registry}/busy@{digest}"))]
    {
        let name = world.name(word);
        let begun = Instant::now();
        world.act_ok(&name, create(of(&image), true)).await;
        println!("create from a registry on loopback: {:?}", begun.elapsed());
        assert_eq!(world.agreed(&name).await, Running);
        world.written(&bundle(&world, &name), "ready").await;
        let found = app::backend::Backend::inspect(&world.driver, &name).await.unwrap().unwrap();
        assert!(found.facts.contains(&("Image".to_owned(), image)), "{:?}", found.facts);
        world.act_ok(&name, ActionRequest::Stop).await;
        world.act_ok(&name, ActionRequest::Delete { purge: true }).await;
        assert_eq!(fs::read_dir(world.path("images")).unwrap().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_registry_says_no_with_is_told_by_its_kind() {
    let world = World::new();
    let registry = Registry::serve(&layout(&world)).await;
    for (image, kind, words) in [
        (format!("{registry}/busy:2"), FailureKind::Invalid, "manifest unknown"),
        (format!("{registry}/nope:1"), FailureKind::Invalid, "name unknown"),
        (format!("{registry}/private/x:1"), FailureKind::Denied, "skopeo login"),
        (format!("{registry}/denied/x:1"), FailureKind::Denied, "denied"),
        (format!("{registry}/broken/x:1"), FailureKind::NotReady, "500"),
        // Nothing listens at the port that the kernel keeps for nobody.
        ("127.0.0.1:1/busy:1".to_owned(), FailureKind::NotReady, "connection refused"),
    ] {
        let name = world.name("web1");
        let (end, _) = world.act(&name, create(of(&image), true)).await;
        let ExecutionEnd::Failed(error) = end else { panic!("{image}: {end:?}") };
        assert_eq!(error.kind(), kind, "{image}: {error}");
        assert!(error.to_string().contains(words), "{image}: {error}");
        assert_eq!(world.status(&name).await, None);
    }
    // After all these, the place is free.
    let name = world.name("web1");
    world.act_ok(&name, create(of(format!("{registry}/busy:1")), true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_cancelled_ends_at_once_and_can_be_begun_again() {
    let world = World::new();
    let registry = Registry::serve(&layout(&world)).await;
    let name = world.name("web1");
    let cancel = CancellationToken::new();
    let request = create(of(format!("{registry}/slow/x:1")), true);
    let begun = Instant::now();
    let ((end, told), ()) = tokio::join!(world.act_until(&name, request, cancel.clone()), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cancel.cancel();
    });
    assert_eq!(end, ExecutionEnd::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", told.outcomes);
    world.act_ok(&name, create(of(format!("{registry}/busy:1")), true)).await;
}

#[tokio::test]
async fn only_this_machine_is_asked_without_tls() {
    let world = World::new();
    for (image, is_plain) in [
        ("127.0.0.1:5000/x:1", true),
        ("localhost/x", true),
        ("registry.example.org/x:1", false),
        ("docker.io/library/alpine:3.20", false),
        ("127.0.0.1.example.org/x", false),
    ] {
        let plan = world.plan(&world.name("web1"), &create(of(image), false)).await.unwrap();
        let copy =
            plan.steps.iter().map(|step| step.work.to_string()).find(|line| line.starts_with("skopeo "));
        let copy = copy.unwrap();
        assert!(copy.contains(&format!(" docker://{image} ")), "{copy}");
        assert_eq!(copy.contains("--src-tls-verify=false"), is_plain, "{copy}");
    }
    let refused = world.plan(&world.name("web1"), &create(of("http://127.0.0.1/x"), false)).await;
    assert!(matches!(refused, Err(Error::Invalid { field: Field::Image, .. })), "{refused:?}");
}
