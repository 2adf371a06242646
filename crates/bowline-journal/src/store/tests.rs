//! What is a network file system.

use super::network::{judge, mount_kind};

#[test]
fn network_file_systems_are_known() {
    let check = |magic: u32, fuse: Option<&str>, expected: Option<&str>| {
        assert_eq!(
            judge(magic, fuse).as_deref(),
            expected,
            "{magic:x} {fuse:?}"
        );
    };
    check(0x6969, None, Some("nfs"));
    check(0xFF53_4D42, None, Some("cifs"));
    check(0xFE53_4D42, None, Some("smb2"));
    check(0x0102_1997, None, Some("9p"));
    check(0xEF53, None, None);
    check(0x0102_1994, None, None);
    check(0x9123_683E, None, None);
    check(0x6573_5546, Some("fuse.sshfs"), Some("fuse.sshfs"));
    check(0x6573_5546, Some("fuse.fuse-overlayfs"), None);
    check(0x6573_5546, Some("fuseblk"), None);
    check(0x6573_5546, None, Some("fuse"));
}

#[test]
fn the_kind_of_a_mount_is_found_by_its_device() {
    let mounts = "22 1 8:1 / / rw shared:1 - ext4 /dev/vda rw\n\
                  36 22 0:45 / /mnt/far rw,nosuid shared:2 master:3 - fuse.sshfs host:/ rw\n\
                  broken\n\
                  37 22 0:46 / /mnt/odd rw -";
    let check = |major: u32, minor: u32, expected: Option<&str>| {
        let device = rustix::fs::makedev(major, minor);
        assert_eq!(mount_kind(mounts, device), expected, "{major}:{minor}");
    };
    check(8, 1, Some("ext4"));
    check(0, 45, Some("fuse.sshfs"));
    check(0, 46, None);
    check(9, 9, None);
}
