//! Where Paddock puts the images and bundles that it makes. A name with a dot before it is no guest's, and one that
//! ends as [`LAYOUT`] is Paddock's own.

use std::path::{Path, PathBuf};

use crate::{backend::Error, domain::name::GuestName};

use super::paths;

/// The end of the name of a layout that Paddock makes.
const LAYOUT: &str = ".paddock";

/// The two directories, absolute, without links as far as they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    bundles: PathBuf,
    images: PathBuf,
}

impl Places {
    /// From what this host is set up with; `None`: nobody said where.
    pub fn new(bundles: Option<&Path>, images: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::NotReady {
            reason,
            cure: "Start Paddock with an absolute path for it, such as /var/lib/paddock/bundles.".to_owned(),
        };
        let bundles =
            bundles.ok_or_else(|| unusable("Nobody said where bundles are kept on this host.".to_owned()))?;
        let usable = |path: &Path| {
            let shown = path.display();
            let text = path.to_str().ok_or_else(|| unusable(format!("The directory {shown} is no text.")))?;
            paths::for_image_tools(text)
                .map_err(|why| unusable(format!("The directory {shown} cannot be used. {why}")))?;
            Ok(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
        };
        Ok(Self { bundles: usable(bundles)?, images: usable(images)? })
    }

    pub fn bundles(&self) -> &Path {
        &self.bundles
    }

    pub fn images(&self) -> &Path {
        &self.images
    }

    /// Of the container of that name.
    pub fn bundle(&self, name: &GuestName) -> PathBuf {
        self.bundles.join(name.as_str())
    }

    /// Where that is made, until it is whole.
    pub fn unfinished(&self, name: &GuestName) -> PathBuf {
        self.bundles.join(format!(".{name}.unfinished"))
    }

    /// Where its image is copied to.
    pub fn layout(&self, name: &GuestName) -> PathBuf {
        self.images.join(format!("{name}{LAYOUT}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_lies_where_no_guests_name_leads() {
        let places = Places::new(Some(Path::new("/no/bundles")), Path::new("/no/images")).unwrap();
        let name = GuestName::new("web.1").unwrap();
        assert_eq!(places.bundle(&name), Path::new("/no/bundles/web.1"));
        assert_eq!(places.unfinished(&name), Path::new("/no/bundles/.web.1.unfinished"));
        assert_eq!(places.layout(&name), Path::new("/no/images/web.1.paddock"));
        assert!(GuestName::found(".web.1.unfinished").is_err());
    }

    #[test]
    fn a_directory_that_the_tools_cannot_handle_is_no_place() {
        let images = Path::new("/images");
        for bundles in [None, Some(Path::new("bundles")), Some(Path::new("/a:b")), Some(Path::new("/a/../b"))]
        {
            assert!(matches!(Places::new(bundles, images), Err(Error::NotReady { .. })), "{bundles:?}");
        }
        assert!(Places::new(Some(images), Path::new("images")).is_err());
    }
}
