// One attempt to leave a sandbox for each name: `probe NAME [ARGUMENTS]` exits 0 if it worked.
// `probe victim ID` is what it is tried on. Compiled and called by `probes.rs`.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/io_uring.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/mount.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

// The victim's secret. The program is linked at a fixed address, so every copy knows where it is.
static char secret[32];
static const char word[] = "planted-word";

static int worked(long result) {
    if (result >= 0) return 0;
    printf("%s\n", strerror(errno));
    return 1;
}
// Whether a call came past the question of permission.
static int permitted(long result) {
    if (result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS)) return 0;
    return worked(result);
}
static int is_word(const char *text) { return strncmp(text, word, sizeof word - 1) ? 1 : 0; }
static int number(const char *text) { return text ? atoi(text) : 0; }

// Victim ------------------------------------------------------------------------------------------
static int victim(const char *id, const char *hidden, const char *held) {
    char name[64];
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(terminal), unlockpt(terminal);
    dup2(open(hidden, O_RDONLY), 8), dup2(open(held, O_WRONLY | O_APPEND), 9);
    strcpy(secret, word);
    prctl(PR_SET_PTRACER, -1);
    signal(SIGPIPE, SIG_IGN);
    int shm = shmget(number(id), 64, IPC_CREAT | 0600);
    if (shm >= 0) strcpy(shmat(shm, 0, 0), word);
    int msg = msgget(number(id), IPC_CREAT | 0600), sem = semget(number(id), 1, IPC_CREAT | 0600);
    snprintf(name, sizeof name, "/bp-%s", id);
    mqd_t mq = mq_open(name, O_CREAT | O_RDWR, 0600, 0);
    snprintf(name, sizeof name, "bp-%s", id);
    long key = syscall(SYS_add_key, "user", name, word, strlen(word), KEY_SPEC_USER_KEYRING);
    printf("%s\n", ptsname(terminal));
    fflush(stdout);
    for (char byte; read(0, &byte, 1) == 1;)
        if (write(1, &byte, 1) != 1) break;
    shmctl(shm, IPC_RMID, 0), msgctl(msg, IPC_RMID, 0), semctl(sem, 0, IPC_RMID);
    snprintf(name, sizeof name, "/bp-%s", id);
    mq_close(mq), mq_unlink(name);
    syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING);
    return 0;
}

// Other processes ---------------------------------------------------------------------------------
static int mem(int pid) {
    char path[64], got[32] = "";
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || pread(fd, got, sizeof got, (off_t)secret) < 0) return worked(-1);
    return is_word(got);
}
static int vm(int pid, int writes) {
    char got[32] = "changed";
    struct iovec here = {got, sizeof got}, there = {secret, sizeof secret};
    if (writes) return worked(process_vm_writev(pid, &here, 1, &there, 1, 0));
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0) return worked(-1);
    return is_word(got);
}
static int trace(int pid, int how) {
    if (ptrace(how, pid, 0, 0) < 0) return worked(-1);
    if (how == PTRACE_ATTACH) waitpid(pid, 0, 0);
    return 0;
}
static int pidfd(int pid) { return syscall(SYS_pidfd_open, pid, 0); }
static int getfd(int pid) {
    char got[32] = "";
    int fd = syscall(SYS_pidfd_getfd, pidfd(pid), 8, 0);
    if (fd < 0 || pread(fd, got, sizeof got, 0) < 0) return worked(-1);
    return is_word(got);
}
static int signals(const char *how, int pid) {
    union sigval value = {0};
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
    int pair[2];
    if (!strcmp(how, "kill")) return worked(kill(pid, SIGTERM));
    if (!strcmp(how, "kill-all")) return worked(syscall(SYS_kill, -pid, SIGTERM));
    if (!strcmp(how, "tkill")) return worked(syscall(SYS_tkill, pid, SIGTERM));
    if (!strcmp(how, "tgkill")) return worked(syscall(SYS_tgkill, pid, pid, SIGTERM));
    if (!strcmp(how, "sigqueue")) return worked(sigqueue(pid, SIGTERM, value));
    if (!strcmp(how, "tgsigqueue"))
        return worked(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGTERM, &info));
    if (!strcmp(how, "pidfd"))
        return worked(syscall(SYS_pidfd_send_signal, pidfd(pid), SIGTERM, 0, 0));
    // The kernel sends it when the other end of a pair becomes readable.
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return worked(-1);
    if (fcntl(pair[0], F_SETOWN, pid) < 0 || fcntl(pair[0], F_SETSIG, SIGTERM) < 0) return worked(-1);
    if (fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0) return worked(-1);
    return worked(write(pair[1], "x", 1));
}
static int limit(int pid) {
    struct rlimit files = {64, 64};
    return worked(prlimit(pid, RLIMIT_NOFILE, &files, 0));
}
static int affinity(int pid) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return worked(sched_setaffinity(pid, sizeof set, &set));
}

static int scheduler(int pid) {
    struct sched_param none = {0};
    return worked(sched_setscheduler(pid, SCHED_BATCH, &none));
}

// Sockets -----------------------------------------------------------------------------------------
static int made(int family, int type, int protocol) { return worked(socket(family, type, protocol)); }
static int answers(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    char got[512];
    if (poll(&one, 1, 500) == 1 && recv(fd, got, sizeof got, 0) > 0) return 0;
    printf("no answer\n");
    return 1;
}
static int inet(int type, const char *text, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, text, &to.sin_addr);
    int fd = socket(AF_INET, type, 0);
    if (fd < 0 || connect(fd, (void *)&to, sizeof to) < 0) return worked(-1);
    if (type == SOCK_STREAM) return 0;
    return write(fd, "ping", 4) < 0 ? worked(-1) : answers(fd);
}
static int inet6(int type, const char *text, int port) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, text, &to.sin6_addr);
    int fd = socket(AF_INET6, type, 0);
    if (fd < 0 || connect(fd, (void *)&to, sizeof to) < 0) return worked(-1);
    if (type == SOCK_STREAM) return 0;
    return write(fd, "ping", 4) < 0 ? worked(-1) : answers(fd);
}
// Data with the first packet, without a connect.
static int fast_open(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return worked(sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&to, sizeof to));
}
static int dns(int port) {
    static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\7planted\7example\0\0\1\0\1";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec part = {(void *)query, sizeof query - 1};
    struct mmsghdr message = {{&to, sizeof to, &part, 1, 0, 0, 0}, 0};
    if (fd < 0 || sendmmsg(fd, &message, 1, 0) != 1) return worked(-1);
    return answers(fd);
}
static int unix_socket(int type, const char *path, int is_abstract) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length + 1 >= sizeof to.sun_path) return printf("too long\n"), 1;
    memcpy(to.sun_path + is_abstract, path, length);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + is_abstract + length;
    int fd = socket(AF_UNIX, type, 0);
    return fd < 0 ? worked(-1) : worked(connect(fd, (void *)&to, size));
}
static int bound(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    return worked(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&at, sizeof at));
}
static int foreign_link(void) {
    struct { struct nlmsghdr head; struct ifinfomsg info; } ask = {
        {sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {.ifi_family = AF_UNSPEC}};
    static char got[65536];
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), found = 0;
    if (fd < 0 || write(fd, &ask, sizeof ask) < 0) return worked(-1);
    for (ssize_t left; !found && (left = recv(fd, got, sizeof got, 0)) > 0;)
        for (struct nlmsghdr *one = (void *)got; NLMSG_OK(one, left); one = NLMSG_NEXT(one, left)) {
            if (one->nlmsg_type != RTM_NEWLINK) return printf("only loopback\n"), 1;
            if (((struct ifinfomsg *)NLMSG_DATA(one))->ifi_index > 1) return 0;
        }
    return 1;
}
static int packets(void) {
    int fd = socket(AF_PACKET, SOCK_RAW, htons(3));
    struct ifreq { char name[16]; int index; char rest[20]; } lo = {"lo", 0, ""};
    return fd < 0 ? worked(-1) : worked(ioctl(fd, 0x8933, &lo));
}

// Kernel doors ------------------------------------------------------------------------------------
static int ring(void) {
    struct io_uring_params set = {0};
    return worked(syscall(SYS_io_uring_setup, 4, &set));
}
static int map(void) {
    union bpf_attr set = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return worked(syscall(SYS_bpf, BPF_MAP_CREATE, &set, sizeof set));
}
static int perf(int pid) {
    struct perf_event_attr set = {.type = PERF_TYPE_SOFTWARE, .size = sizeof set, .config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1};
    return worked(syscall(SYS_perf_event_open, &set, pid, -1, -1, 0));
}
static int handle(const char *path) {
    struct { struct file_handle head; char rest[128]; } found = {{.handle_bytes = 128}, ""};
    char got[32] = "";
    int mount, fd;
    // A handle can be guessed; it is asked for where the place is still seen, and given by number.
    if (name_to_handle_at(AT_FDCWD, path, &found.head, &mount, 0) < 0) return worked(-1);
    if ((fd = open_by_handle_at(AT_FDCWD, &found.head, O_RDONLY)) < 0) return worked(-1);
    return read(fd, got, sizeof got) < 0 ? worked(-1) : is_word(got);
}
static int key(const char *id) {
    char name[64], got[32] = "";
    snprintf(name, sizeof name, "bp-%s", id);
    long found = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", name, 0);
    if (found < 0 || syscall(SYS_keyctl, KEYCTL_READ, found, got, sizeof got) < 0) return worked(-1);
    return is_word(got);
}
static int add_key(void) {
    return worked(syscall(SYS_add_key, "user", "bp", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}
static int shared(const char *id) {
    int found = shmget(number(id), 0, 0);
    char *at = found < 0 ? (void *)-1 : shmat(found, 0, SHM_RDONLY);
    return at == (void *)-1 ? worked(-1) : is_word(at);
}
static int queue(const char *id) {
    char name[64];
    snprintf(name, sizeof name, "/bp-%s", id);
    return worked(mq_open(name, O_RDWR));
}
static int old_call(long number) {
    long result = -ENOSYS;
#ifdef __x86_64__
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0L), "c"(0L), "d"(0L) : "r8", "r9", "r10", "r11", "memory");
#endif
    errno = result < 0 ? -result : 0;
    return permitted(result < 0 ? -1 : result);
}
static int wide_call(void) { return permitted(syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER)); }

// Namespaces and mounts ---------------------------------------------------------------------------
static int clone3_user(void) {
    unsigned long long set[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
    long child = syscall(SYS_clone3, set, sizeof set);
    if (!child) _exit(0);
    return worked(child);
}
static int clone_user(void) {
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (!child) _exit(0);
    return worked(child);
}
static int join(int pid, const char *what) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, what);
    int fd = open(path, O_RDONLY);
    return fd < 0 ? worked(-1) : worked(setns(fd, 0));
}
static int new_mount(void) {
    int fd = syscall(SYS_fsopen, "tmpfs", 0);
    if (fd < 0 || syscall(SYS_fsconfig, fd, 6, 0, 0, 0) < 0) return worked(-1);
    return worked(syscall(SYS_fsmount, fd, 0, 0));
}
static int tree(const char *path) {
    return worked(syscall(SYS_open_tree, AT_FDCWD, path, 1 | AT_RECURSIVE));
}
static int writable_again(const char *path) {
    struct { unsigned long long set, clear, propagation, user; } change = {0, 1, 0, 0};
    return worked(syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &change, sizeof change));
}
static int over(const char *at) {
    if (mount("none", at, "tmpfs", 0, "size=4k") < 0) return worked(-1);
    umount2(at, MNT_DETACH);
    return 0;
}
static int bind_read(const char *from, const char *at) {
    char path[4096], got[32] = "";
    if (mount(from, at, 0, MS_BIND, 0) < 0) return worked(-1);
    snprintf(path, sizeof path, "%s/planted", at);
    int fd = open(path, O_RDONLY);
    if (fd >= 0 && read(fd, got, sizeof got) < 0) got[0] = 0;
    umount2(at, MNT_DETACH);
    return is_word(got);
}
static int in_own_namespaces(const char *path) {
    // Root of its own user namespace makes what is read-only writable, then writes.
    if (geteuid() && unshare(CLONE_NEWUSER) < 0) return worked(-1);
    if (unshare(CLONE_NEWNS) < 0) return worked(-1);
    mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
    mount("none", "/", 0, MS_REMOUNT | MS_BIND, 0);
    return worked(open(path, O_CREAT | O_WRONLY, 0600));
}

// Files and devices -------------------------------------------------------------------------------
static int opens(const char *path, int flags) { return worked(open(path, flags | O_NONBLOCK | O_NOCTTY)); }
static int same(const char *path) {
    char now[4096];
    int fd = open(path, O_RDWR);
    ssize_t length = fd < 0 ? -1 : read(fd, now, sizeof now);
    return length < 0 ? worked(-1) : worked(pwrite(fd, now, length, 0));
}
static int inherited(void) {
    for (int fd = 3; fd < 1024; fd++) {
        char got[32] = "";
        if (pread(fd, got, sizeof got, 0) > 0 && !is_word(got)) return 0;
    }
    return printf("nothing there\n"), 1;
}
static int type_in(const char *terminal) {
    int fd = open(terminal, O_RDWR | O_NOCTTY);
    return fd < 0 ? worked(-1) : worked(ioctl(fd, TIOCSTI, "x"));
}
static int hostname(void) {
    char name[256];
    if (gethostname(name, sizeof name) < 0) return 1;
    return worked(sethostname(name, strlen(name)));
}
static int linger(int how) {
    // 0: as it is, 1: a session of its own, 2: twice forked, 3: and deaf.
    if (how >= 1 && fork()) return 0;
    if (how >= 1) setsid();
    if (how >= 2 && fork()) return 0;
    for (int fd = 0; fd < 64; fd++) close(fd);
    for (int one = 1; how >= 3 && one < 32; one++) signal(one, SIG_IGN);
    if (how == 4) clearenv(), prctl(PR_SET_NAME, "kworker");
    for (;;) sleep(1000);
}

int main(int count, char **words) {
    const char *name = count > 1 ? words[1] : "", *a = count > 2 ? words[2] : "", *b = count > 3 ? words[3] : "";
    int pid = number(a), port = number(a);
#define ON(text, what) if (!strcmp(name, text)) return (what)
    ON("victim", victim(a, b, count > 4 ? words[4] : ""));
    ON("mem", mem(pid));
    ON("vm-read", vm(pid, 0));
    ON("vm-write", vm(pid, 1));
    ON("ptrace-attach", trace(pid, PTRACE_ATTACH));
    ON("ptrace-seize", trace(pid, PTRACE_SEIZE));
    ON("pidfd-getfd", getfd(pid));
    ON("signal", signals(a, number(b)));
    ON("prlimit", limit(pid));
    ON("priority", worked(setpriority(PRIO_PROCESS, pid, 5)));
    ON("affinity", affinity(pid));
    ON("scheduler", scheduler(pid));
    ON("ioprio", worked(syscall(SYS_ioprio_set, 1, pid, 3 << 13)));
    ON("kcmp", worked(syscall(SYS_kcmp, pid, getpid(), 2, 0, 0)));
    ON("tcp", inet(SOCK_STREAM, "127.0.0.1", port));
    ON("udp", inet(SOCK_DGRAM, "127.0.0.1", port));
    ON("tcp6", inet6(SOCK_STREAM, "::1", port));
    ON("udp6", inet6(SOCK_DGRAM, "::1", port));
    ON("mapped", inet6(SOCK_STREAM, "::ffff:127.0.0.1", port));
    ON("fast-open", fast_open(port));
    ON("dns", dns(port));
    ON("unix", unix_socket(SOCK_STREAM, a, 0));
    ON("unix-datagram", unix_socket(SOCK_DGRAM, a, 0));
    ON("abstract", unix_socket(SOCK_STREAM, a, 1));
    ON("unix-bind", bound(a));
    ON("raw", made(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    ON("raw6", made(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
    ON("ping", made(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    ON("packet", packets());
    ON("links", foreign_link());
    ON("netlink", made(AF_NETLINK, SOCK_RAW, number(a)));
    ON("family", made(number(a), number(b), 0));
    ON("io-uring", ring());
    ON("bpf", map());
    ON("perf", perf(0));
    ON("perf-other", perf(pid));
    ON("userfaultfd", worked(syscall(SYS_userfaultfd, 1)));
    ON("handle", handle(a));
    ON("key", key(a));
    ON("add-key", add_key());
    ON("session-keyring", worked(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0)));
    ON("shm", shared(a));
    ON("msg", worked(msgget(number(a), 0)));
    ON("sem", worked(semget(number(a), 0, 0)));
    ON("mq", queue(a));
    ON("int80", old_call(pid));
    ON("x32", wide_call());
    ON("unshare", worked(unshare(pid)));
    ON("clone", clone_user());
    ON("clone3", clone3_user());
    ON("setns", join(pid, b));
    ON("setns-pidfd", worked(setns(pidfd(pid), CLONE_NEWNS)));
    ON("mount", over(a));
    ON("bind", bind_read(a, b));
    ON("umount", permitted(umount2(a, MNT_DETACH)));
    ON("remount", worked(mount("none", a, 0, MS_REMOUNT | MS_BIND, 0)));
    ON("fsmount", new_mount());
    ON("open-tree", tree(a));
    ON("mount-setattr", writable_again(a));
    ON("pivot", permitted(syscall(SYS_pivot_root, ".", ".")));
    ON("chroot", worked(chroot(a)));
    ON("own-namespaces", in_own_namespaces(a));
    ON("setxattr", worked(setxattr(a, "user.probe", "x", 1, 0)));
    ON("write", opens(a, O_WRONLY));
    ON("read", opens(a, O_RDONLY));
    ON("same", same(a));
    ON("truncate", worked(truncate(a, 0)));
    ON("inherited", inherited());
    ON("type-in", type_in(a));
    ON("hostname", hostname());
    ON("root", worked(geteuid() ? -1 : 0));
    ON("iopl", worked(iopl(3)));
    ON("module", permitted(syscall(SYS_init_module, 0, 0, "")));
    ON("kexec", permitted(syscall(SYS_kexec_load, 0, 17, 0, 0)));
    ON("reboot", permitted(syscall(SYS_reboot, 0, 0, 0, 0)));
    ON("swapon", permitted(syscall(SYS_swapon, "/nowhere", 0)));
    ON("acct", permitted(syscall(SYS_acct, "/nowhere")));
    ON("syslog", worked(syscall(SYS_syslog, 3, words, 8)));
    ON("fanotify", worked(fanotify_init(0, O_RDONLY)));
    ON("device", worked(mknod(a, S_IFBLK | 0600, 0xfe00) ? -1 : open(a, O_RDONLY)));
    ON("linger", linger(pid));
    return 2;
}
