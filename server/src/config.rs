//! Settings of the server. Each is an option and an environment variable; the option wins.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use app::backend::{
    Backend,
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

    /// A directory whose OCI bundles are offered for new crun containers.
    #[arg(long, env = "PADDOCK_CRUN_BUNDLES")]
    pub crun_bundles: Option<PathBuf>,
}

impl ServeArgs {
    /// The drivers of this host, as set.
    pub fn drivers(&self) -> Vec<Arc<dyn Backend>> {
        // Tools that detach write their words to a file here; removed when read.
        let log_dir = self.data.join("run");
        let lxc = LxcDriver::new(LxcConfig {
            lxcpath: self.lxc_path.clone(),
            create_config: self.lxc_create_config.clone(),
            templates: self.lxc_templates.clone(),
            // On a Proxmox host the numbered containers belong to Proxmox.
            skip_numeric: std::path::Path::new("/etc/pve").exists(),
            log_dir: log_dir.clone(),
        });
        let crun = CrunDriver::new(CrunConfig {
            root: self.crun_root.clone(),
            bundles: self.crun_bundles.clone(),
            log_dir,
        });
        vec![Arc::new(lxc), Arc::new(crun)]
    }
}
