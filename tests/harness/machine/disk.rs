//! The disk of a virtual machine, as a folder that QEMU shows it as a FAT disk: a script for U-Boot, Debian's kernel, and a small system in memory
//! with a login on its serial line.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};

use crate::{
    guest::{kept, lay_out_small},
    shell::sh,
};

/// Of root, the only user.
pub const PASSWORD: &str = "geheim";
/// The same as crypt(3) keeps it.
const SHADOW: &str =
    "$6$jackfield$MwuucpDOanA6kyzXwPFhVeOomEWUCmztlflNN2cFHczOEfGByCOWDWVZm1x8G.r0DuvEissT1KFjM6TMJyal3/";

const FILES: [(&str, &str); 2] = [
    (
        "init",
        "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nmount -t proc proc /proc\nmount -t sysfs sys /sys\n\
         mount -t devtmpfs dev /dev\nhostname dut\nexec init\n",
    ),
    ("etc/inittab", "ttyS0::respawn:/bin/getty -L 115200 ttyS0 vt100\n"),
];

/// What U-Boot does by itself; `more` is what a person adds to the arguments of the kernel. Its own place for the system in memory is one that
/// a kernel of this size writes over.
const SCRIPT: &str = "load virtio 0:1 8000000 /initrd.gz\nsetenv initrd_size ${filesize}\nload virtio 0:1 1000000 /vmlinuz\n\
     setenv bootargs console=ttyS0 panic=5 ${more}\nzboot 1000000 ${filesize} 8000000 ${initrd_size}\n";

/// Makes the folder `disk` in this one.
pub(super) fn make(folder: &Path) -> Result<()> {
    let (root, disk) = (folder.join("root"), folder.join("disk"));
    lay_out_small(&root)?;
    for (name, text) in FILES {
        fs::write(root.join(name), text)?;
    }
    fs::write(root.join("etc/shadow"), format!("root:{SHADOW}:19000:0:99999:7:::\n"))?;
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755))?;
    fs::create_dir(&disk)?;
    fs::copy(kept("vmlinuz"), disk.join("vmlinuz"))?;
    fs::write(disk.join("boot.scr"), boot_script(SCRIPT)?)?;
    let pack = "find . | cpio --quiet -o -H newc -R 0:0 | gzip -1";
    sh(&format!("cd {}; {pack} > {}", root.display(), disk.join("initrd.gz").display())).map(drop)
}

/// A script as U-Boot reads it: a head with two sums, a list of lengths, the text.
fn boot_script(text: &str) -> Result<Vec<u8>> {
    let length = u32::try_from(text.len()).context("a short script")?;
    let body = [&length.to_be_bytes(), &[0; 4], text.as_bytes()].concat();
    let head = |sum: u32| {
        let mut head = Vec::with_capacity(64);
        let size = length.saturating_add(8);
        for word in [0x2705_1956, sum, 0, size, 0, 0, crc32(&body)] {
            head.extend_from_slice(&u32::to_be_bytes(word));
        }
        // Linux, x86, a script, not compressed; and its name.
        head.extend_from_slice(&[5, 3, 6, 0]);
        head.extend_from_slice(b"boot");
        head.resize(64, 0);
        head
    };
    Ok([head(crc32(&head(0))), body].concat())
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_everybody_else() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
