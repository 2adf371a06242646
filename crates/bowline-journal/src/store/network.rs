//! Is a folder on a network file system? There, locks and syncs promise less than they say.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// File system magic numbers, from the kernel's `statfs(2)` and `linux/magic.h`.
const NETWORK: [(u32, &str); 12] = [
    (0x6969, "nfs"),
    (0x517B, "smb"),
    (0xFE53_4D42, "smb2"),
    (0xFF53_4D42, "cifs"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "afs"),
    (0x6B41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x00C3_6400, "ceph"),
    (0x0BD0_0BD0, "lustre"),
    (0x0116_1970, "gfs2"),
    (0x7461_636F, "ocfs2"),
];
const FUSE: u32 = 0x6573_5546;

/// FUSE file systems that keep their files on this machine. Any other is taken for a network.
const LOCAL_FUSE: [&str; 8] = [
    "fuseblk",
    "fuse.fuse-overlayfs",
    "fuse.overlayfs",
    "fuse.gocryptfs",
    "fuse.encfs",
    "fuse.mergerfs",
    "fuse.bindfs",
    "virtiofs",
];

/// The name of the network file system that holds `path`; `None` when it is local.
pub(super) fn kind_of(path: &Path) -> io::Result<Option<String>> {
    let magic = rustix::fs::statfs(path)?.f_type;
    // The kernel's numbers fit 32 bits; wider types only pad or extend the sign.
    let magic = u32::try_from(magic & 0xFFFF_FFFF).unwrap_or_default();
    if magic != FUSE {
        return Ok(judge(magic, None));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device = std::fs::metadata(path)?.dev();
    Ok(judge(magic, mount_kind(&mounts, device)))
}

/// Judges a magic number and, for FUSE, the kind that the mount table gives.
pub(super) fn judge(magic: u32, fuse_kind: Option<&str>) -> Option<String> {
    if magic == FUSE {
        let kind = fuse_kind.unwrap_or("fuse");
        return (!LOCAL_FUSE.contains(&kind)).then(|| kind.to_owned());
    }
    NETWORK
        .iter()
        .find(|(known, _)| *known == magic)
        .map(|(_, name)| (*name).to_owned())
}

/// The file system kind of the mount with this device number, from `/proc/self/mountinfo`: third
/// field `major:minor`, and the kind right after the lone `-`.
pub(super) fn mount_kind(mounts: &str, device: u64) -> Option<&str> {
    let wanted = format!(
        "{}:{}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    );
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        if fields.nth(2) != Some(wanted.as_str()) {
            return None;
        }
        fields.skip_while(|field| *field != "-").nth(1)
    })
}
