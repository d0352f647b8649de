//! Settings of the server. Each is an option and an environment variable; the option wins.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::backend::{
    Backend, Error,
    crun::{CrunConfig, CrunDriver},
    lxc::{LxcConfig, LxcDriver},
};
use clap::Args;

/// What `paddock serve` is told.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address and port to listen on. Without TLS in front of it, keep it on loopback.
    #[arg(long, env = "PADDOCK_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,

    /// Directory of the database and keys. Made, readable by its owner alone, if it is not there.
    #[arg(long, env = "PADDOCK_DATA", default_value = "/var/lib/paddock")]
    pub data: PathBuf,

    /// Password of the first administrator, `admin`; used at the very first start only. Without it a one-time
    /// password is made and printed.
    #[arg(long, env = "PADDOCK_ADMIN_PASSWORD", hide_env_values = true, hide = true)]
    pub admin_password: Option<String>,

    /// The browser reaches Paddock by HTTPS (through a proxy), so its cookies are marked Secure.
    #[arg(long, env = "PADDOCK_HTTPS", default_value_t = false)]
    pub https: bool,

    /// Directory of the web site's files [default: `site` beside the program's own directory].
    #[arg(long, env = "PADDOCK_SITE")]
    pub site: Option<PathBuf>,

    /// Where LXC keeps its containers.
    #[arg(long, env = "PADDOCK_LXC_PATH", default_value = "/var/lib/lxc")]
    pub lxc_path: PathBuf,

    /// Configuration that new LXC containers begin with [default: LXC's own default].
    #[arg(long, env = "PADDOCK_LXC_CREATE_CONFIG")]
    pub lxc_create_config: Option<PathBuf>,

    /// Where LXC's templates are installed.
    #[arg(long, env = "PADDOCK_LXC_TEMPLATES", default_value = "/usr/share/lxc/templates")]
    pub lxc_templates: PathBuf,

    /// Where crun keeps the state of its containers.
    #[arg(long, env = "PADDOCK_CRUN_ROOT", default_value = "/run/crun")]
    pub crun_root: PathBuf,

    /// A directory whose OCI bundles are offered for new crun containers, and where those made from images get theirs
    /// [default: `bundles` in the data directory].
    #[arg(long, env = "PADDOCK_CRUN_BUNDLES")]
    pub crun_bundles: Option<PathBuf>,

    /// A directory whose OCI image layouts are offered for new crun containers, and where images are copied to
    /// [default: `images` in the data directory].
    #[arg(long, env = "PADDOCK_CRUN_IMAGES")]
    pub crun_images: Option<PathBuf>,
}

impl ServeArgs {
    /// The drivers of this host, as set. `logs` is where tools that detach write their words until they are read.
    /// Fails for a path that is not text and so could not be a word of a command.
    pub fn drivers(&self, logs: &Path) -> Result<Vec<Arc<dyn Backend>>, Error> {
        let lxc = LxcDriver::new(LxcConfig {
            lxcpath: absolute(&self.lxc_path),
            create_config: self.lxc_create_config.as_deref().map(absolute),
            templates: absolute(&self.lxc_templates),
            // On a Proxmox host the numbered containers belong to Proxmox.
            skip_numeric: Path::new("/etc/pve").exists(),
            log_dir: logs.to_owned(),
        })?;
        let in_data = |set: Option<&Path>, name: &str| absolute(set.unwrap_or(&self.data.join(name)));
        let crun = CrunDriver::new(CrunConfig {
            root: absolute(&self.crun_root),
            bundles: Some(in_data(self.crun_bundles.as_deref(), "bundles")),
            images: in_data(self.crun_images.as_deref(), "images"),
            log_dir: logs.to_owned(),
        });
        Ok(vec![Arc::new(lxc), Arc::new(crun)])
    }
}

/// Tools run in another working directory, so they are given no relative path.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
