//! Containers from images that come to nothing, and what the next attempt finds.

use std::{fs, io::Write as _, path::Path};

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus::Running,
        plan::{Plan, Work},
        spec::{BindMount, OciImage, OciSpec},
    },
};

use super::{
    crun::World,
    images::{bundle, create, layout, left_in, of_layout, run, spec},
};

#[tokio::test]
async fn whatever_failed_the_next_attempt_finds_its_place_free() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    // crun itself refuses, after the bundle is whole: nothing can tell before that there is no such program.
    let wrong = OciSpec { command: vec!["nosuch".to_owned()], ..of_layout(&source) };
    let (end, _) = world.act(&name, create(wrong.clone(), true)).await;
    assert!(
        matches!(&end, ExecutionEnd::Failed(Error::ToolFailed { words, .. }) if words.contains("nosuch")),
        "{end:?}"
    );
    assert_eq!(world.status(&name).await, None);
    assert_eq!(left_in(&world), [name.as_str()]);
    let plan = world.plan(&name, &create(of_layout(&source), true)).await.unwrap();
    assert!(plan.loses.iter().any(|lost| lost.contains("an attempt that failed")), "{:?}", plan.loses);
    world.act_ok(&name, create(of_layout(&source), true)).await;
    assert_eq!(world.agreed(&name).await, Running);

    // umoci fails half way.
    let torn = world.name("torn");
    let broken = world.path("broken-layout");
    run("cp", &["-r", &source, broken.to_str().unwrap()]);
    let blobs = fs::read_dir(broken.join("blobs/sha256")).unwrap().flatten();
    let layer = blobs.max_by_key(|blob| blob.metadata().unwrap().len()).unwrap().path();
    fs::OpenOptions::new().write(true).open(&layer).unwrap().write_all(b"garbage").unwrap();
    let request = create(of_layout(broken.to_str().unwrap()), true);
    let (end, _) = world.act(&torn, request.clone()).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::Invalid { field: Field::Image, .. })), "{end:?}");
    assert!(left_in(&world).contains(&format!(".{torn}.unfinished")));
    assert_eq!(world.driver.images().await.unwrap().len(), 1, "what is not finished is not offered");
    let (again, _) = world.act(&torn, request).await;
    assert_eq!(again, end, "the second attempt fails for the same reason and not for the first");
    world.act_ok(&torn, create(of_layout(&source), true)).await;
    assert_eq!(left_in(&world), [torn.as_str(), name.as_str()]);
}

#[tokio::test]
async fn a_cancel_between_the_steps_leaves_nothing_in_the_way() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    let plan = world.plan(&name, &create(of_layout(&source), false)).await.unwrap();
    // As many steps of it as were done when somebody cancelled or Paddock was killed.
    let unpacked = plan.steps.iter().position(|step| matches!(&step.work, Work::Edit(_))).unwrap();
    for done in [unpacked, unpacked + 1, unpacked + 2] {
        let part = Plan { steps: plan.steps[..done].to_vec(), ..Plan::default() };
        let (end, _) = world.execute(&name, &part, Default::default()).await;
        assert_eq!(end, ExecutionEnd::Done, "{done} steps");
        let again = world.plan(&name, &create(of_layout(&source), false)).await.unwrap();
        let removal = Plan { steps: again.steps[..1].to_vec(), ..Plan::default() };
        assert!(removal.steps[0].work.to_string().starts_with("rm --recursive"), "{removal:?}");
        world.execute(&name, &removal, Default::default()).await;
        assert_eq!(left_in(&world), Vec::<String>::new(), "{done} steps");
    }
    world.act_ok(&name, create(of_layout(&source), false)).await;
}

#[tokio::test]
async fn a_bundle_that_was_in_use_is_never_taken_for_a_left_over() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    world.act_ok(&name, create(of_layout(&source), true)).await;
    world.written(&bundle(&world, &name), "ready").await;
    world.act_ok(&name, ActionRequest::Stop).await;
    world.act_ok(&name, ActionRequest::Delete { purge: false }).await;
    let refused = world.plan(&name, &create(of_layout(&source), true)).await;
    assert!(
        matches!(&refused, Err(Error::Invalid { field: Field::Name, message }) if message.contains(&bundle(&world, &name))),
        "{refused:?}"
    );
    // The cure that it names: from that bundle.
    world.create_and_start(&name, &bundle(&world, &name)).await;
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn what_is_no_image_is_refused_before_anything_runs() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    let packed = world.path("packed.tar.gz");
    fs::write(&packed, b"\x1f\x8b\x08\0\0\0\0\0\0\0").unwrap();
    let plain = world.path("plain.tar");
    fs::write(&plain, [0; 1024]).unwrap();
    let archive = |path: &Path| OciImage::Archive { path: path.to_str().unwrap().to_owned() };
    let layout = |path: &str, tag: &str| OciImage::Layout { path: path.to_owned(), tag: tag.to_owned() };
    for (image, words) in [
        (archive(&packed), "compressed by gzip"),
        (archive(&plain), "no archive of an image"),
        (archive(&world.path("missing.tar")), "not a file"),
        (layout(&source, "nope"), "no image “nope”. It has busy"),
        (layout("/srv/../x", "busy"), "“..”"),
        (layout(world.path("bundles").to_str().unwrap(), "busy"), "no OCI image layout"),
        (OciImage::Registry("Not An Image".into()), "cannot stand in an image's name"),
    ] {
        let refused = world.plan(&name, &create(spec(image), true)).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field: Field::Image, message }) if message.contains(words)),
            "{refused:?}"
        );
    }
    let mounts = vec![BindMount { source: "/no/such".into(), target: "/mnt".into(), read_only: true }];
    let refused = world.plan(&name, &create(OciSpec { mounts, ..of_layout(&source) }, true)).await;
    assert!(matches!(&refused, Err(Error::Invalid { field: Field::Mount, .. })), "{refused:?}");
    assert_eq!(left_in(&world), Vec::<String>::new());
}
