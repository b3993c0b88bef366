/**
 * The suite of build services: attempts to get out of a sandbox, to leave something behind, or to change what others
 * use. Each of them has to fail, and says what it got when it does not.
 *
 * Some need system calls that no shell makes: for them there is the `perl` of the host, read-only.
 */
import type { Node } from '@neve/castore';
import { type Trial, type TrialRun, expect, same } from './trial.ts';

type Cases = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** Runs a script of Perl, which can make any system call. */
async function perl(trial: Trial, script: string, options: TrialRun = {}): Promise<string> {
  const file = await trial.file(script);
  const isX86 = trial.traits.system === 'x86_64-linux';
  return await trial.printed('/usr/bin/perl /nix/store/script.pl', {
    ...options,
    inputs: new Map([...(options.inputs ?? []), ['script.pl', file]]),
    constraints: {
      ...options.constraints,
      readOnlyPaths: ['/usr', '/lib', ...(isX86 ? ['/lib64'] : [])],
    },
  });
}

/** Numbers of system calls, as text for Perl. */
function numbers(
  trial: Trial,
): Readonly<Record<'setxattr' | 'fchmodat' | 'mount' | 'ptrace' | 'unshare', number>> {
  return trial.traits.system === 'x86_64-linux'
    ? { setxattr: 188, fchmodat: 268, mount: 165, ptrace: 101, unshare: 272 }
    : { setxattr: 5, fchmodat: 53, mount: 40, ptrace: 117, unshare: 97 };
}

export const hostileCases: Cases = {
  'files of the host are not there': async (trial) => {
    const script = `
      for i in /root /home /var /usr /sys /run /boot /etc/shadow /etc/hostname /etc/ssl; do
        test -e $i && echo "$i is there"
      done
      for i in /proc/1/root /proc/self/root /proc/self/cwd/../..; do ls $i | tr '\\n' ' '; done
      cd /; ls ../../../../.. | tr '\\n' ' '`;
    const folders = 'bin build dev etc nix proc tmp ';
    same(await trial.printed(script), folders.repeat(4), 'the log');
  },
  'other processes are not seen': async (trial) => {
    const names = (await trial.printed('for i in /proc/[0-9]*; do cat $i/comm; done')).trim().split('\n');
    const others = names.filter((it) => !['sh', 'cat'].includes(it));
    expect(names.length > 0 && others.length === 0, `it sees ${others.join(' ')}`);
  },
  'inputs cannot be changed': async (trial) => {
    const inputs = new Map<string, Node>([
      ['file', await trial.file('file\n')],
      ['folder', await trial.directory({ x: await trial.file('x\n', true) })],
    ]);
    const script = `
      cd /nix/store
      for command in 'echo changed > file' 'echo changed > folder/x' 'chmod 777 file' 'chmod 777 folder' \\
        'chmod 777 folder/x' 'touch file' 'touch folder/x' 'touch folder/new' 'rm -f file' 'rm -f folder/x' 'rmdir folder' \\
        'mv file /build/other' 'mv folder /build/other' 'mv file renamed' 'mv folder renamed' 'mv folder/x renamed' 'ln file hard' 'ln folder/x hard' 'mkdir folder/new' \\
        'chown 1000:100 file' 'truncate -s 0 file' 'ln -s x folder/link' 'mount -o remount,rw /nix/store/folder' \\
        'mount -o remount,rw,bind /nix/store/folder' 'umount /nix/store/folder' 'umount -l /nix/store/file' \\
        'sed -i s/x/y/ folder/x' 'cp /bin/sh file'; do
        (eval "$command") 2>/dev/null && echo "done: $command"
      done
      rm -rf renamed; cat file folder/x; ls -1; ls -1 folder`;
    same(await trial.printed(script, { inputs }), 'file\nx\nfile\nfolder\nx\n', 'the log');
    // Nor did the next build get anything of it.
    same(await trial.printed('cd /nix/store; cat file folder/x', { inputs }), 'file\nx\n', 'the log');
  },
  'what is mounted cannot be changed': async (trial) => {
    const script = `
      for command in 'echo x > /etc/passwd' 'rm -f /etc/passwd' 'touch /x' 'mkdir /x' 'touch /dev/x' 'rm -f /dev/null' \\
        'touch /bin/x' 'echo x > /bin/sh' 'chmod 777 /etc' 'mount -t tmpfs none /tmp' 'mount -o bind /build /tmp' \\
        'mount -t proc none /proc' 'umount /tmp' 'umount /proc' 'umount /build' 'mount -o remount,rw /' 'pivot_root /build /build' \\
        'chroot /build /bin/sh' 'mknod /build/null c 1 3' 'mknod /build/disk b 254 0' 'hostname other' 'swapoff -a' \\
        'chown 0:0 /build' 'chown 65534 /build' 'ip link set lo down' 'ip link add x type dummy'; do
        (eval "$command") >/dev/null 2>&1 && echo "done: $command"
      done
      cat /etc/group | head -n 1; hostname`;
    same(await trial.printed(script), 'root:x:0:\nlocalhost\n', 'the log');
  },
  'settings of the kernel cannot be changed': async (trial) => {
    const script = `
      for i in kernel/core_pattern kernel/hostname kernel/domainname kernel/panic kernel/sysrq vm/drop_caches vm/swappiness \\
        fs/file-max net/ipv4/ip_forward kernel/modprobe user/max_user_namespaces; do
        (cat /proc/sys/$i > /build/value && cat /build/value > /proc/sys/$i) 2>/dev/null && echo "written: $i"
        (echo 1 > /proc/sys/$i) 2>/dev/null && echo "written: $i"
      done
      for i in /proc/sysrq-trigger /proc/kcore /proc/kmsg /proc/keys /proc/timer_list /proc/1/mem /proc/irq/default_smp_affinity; do
        (echo h > $i) 2>/dev/null && test $i != /proc/1/mem && test ! -c $i && echo "written: $i"
      done
      head -c 1 /proc/kcore 2>/dev/null | wc -c; head -c 1 /proc/kmsg 2>/dev/null | wc -c; cat /proc/keys 2>/dev/null | wc -c`;
    same(await trial.printed(script), '0\n0\n0\n', 'the log');
  },
  'there is no way out to the network': async (trial) => {
    const script = `
      for command in 'nc -w 1 1.1.1.1 53' 'ping -c 1 -W 1 1.1.1.1' 'nslookup example.com 8.8.8.8' 'wget -T 1 -O - http://1.1.1.1'; do
        (eval "$command") >/dev/null 2>&1 < /dev/null && echo "done: $command"
      done
      ip route; ls /sys 2>/dev/null; sed 1,2d /proc/net/dev | wc -l; sed 1d /proc/net/unix | wc -l`;
    same(await trial.printed(script), '1\n0\n', 'the log');
  },
  'a process that leaves its session does not outlive the build': async (trial) => {
    const marker = `neve-daemon-${Math.floor(Math.random() * 1e9)}`;
    const script = `
      cat > /build/daemon <<'END'
      trap '' HUP TERM INT
      exec > /dev/null 2>&1 < /dev/null
      sleep ${marker.length}00 &
      while :; do echo ${marker} >> /nix/store/output; sleep 0.05; done
END
      setsid sh /build/daemon & setsid setsid sh /build/daemon &
      sleep 0.3; echo made > $out`;
    const startedMs = performance.now();
    const { result } = await trial.run(script);
    expect(performance.now() - startedMs < 20_000, 'the build waits for its daemon');
    expect(result.outputs.length === 1, 'the build has no output');
  },
  'builds do not see each other': async (trial) => {
    const first = trial.run(
      'echo secret > /tmp/x; echo secret > /dev/shm/x; echo secret > /build/x; sleep 1.5; echo made > $out',
    );
    const second = trial.printed(
      'sleep 0.5; find /tmp /build /dev/shm /nix -type f; ipcs -q 2>/dev/null | grep -c 0x; ls /proc | grep -c "^[0-9]"',
    );
    const [log] = await Promise.all([second, first]);
    const [queues, processes] = log.split('\n').slice(-3);
    same(queues, '0', 'files and queues of the other build');
    expect(Number(processes) <= 4, `it sees ${processes} processes`);
  },
  'no file becomes set-user-ID, and there are no extended attributes': async (trial) => {
    const { setxattr, fchmodat } = numbers(trial);
    const script = `
      open(F, '>', '/build/f'); close F;
      sub attempt { my ($name, $ok) = @_; print "$name: ", ($ok ? 'done' : $! + 0), "\\n" }
      attempt('u+s', chmod(04755, '/build/f'));
      attempt('g+s', chmod(02755, '/build/f'));
      mkdir '/build/d';
      attempt('directory', chmod(02777, '/build/d'));
      my ($file, $name, $value, $buffer) = ('/build/f', 'user.x', 'y', ' ' x 9);
      attempt('at', syscall(${fchmodat}, -100, $file, 06755, 0) == 0);
      attempt('at2', syscall(452, -100, $file, 04755, 0) == 0);
      attempt('plain', chmod(0755, '/build/f'));
      attempt('sticky', chmod(01755, '/build/d'));
      attempt('set', syscall(${setxattr}, $file, $name, $value, 1, 0) == 0);
      attempt('get', syscall(${setxattr} + 3, $file, $name, $buffer, 9) >= 0);
      attempt('list', syscall(${setxattr} + 6, $file, $buffer, 9) >= 0);
      attempt('remove', syscall(${setxattr} + 9, $file, $name) == 0);`;
    const expected = ['u+s: 1', 'g+s: 1', 'directory: 1', 'at: 1', 'at2: 1', 'plain: done', 'sticky: done'];
    const attributes = ['set: 95', 'get: 95', 'list: 95', 'remove: 95', ''];
    same((await perl(trial, script)).split('\n'), [...expected, ...attributes], 'the log');
  },
  'calls of another architecture are filtered too': async (trial) => {
    if (trial.traits.system !== 'x86_64-linux') return;
    // With the bit of x32, `getpid` is as good as any.
    const script = `print syscall(0x40000000 + 39) < 0 ? $! + 0 : 'done', "\\n"`;
    same(await perl(trial, script), '38\n', 'the log');
  },
  'a new user namespace gives nothing': async (trial) => {
    const { mount, unshare } = numbers(trial);
    const inputs = new Map([['file', await trial.file('file\n')]]);
    // Users, mounts and networks of its own, in which it may do more; then what is outside of them.
    const script = `
      syscall(${unshare}, 0x10000000 | 0x20000 | 0x40000000);
      for ('rw,remount:/nix/store/file', 'rw,remount:/', 'rw,remount:/proc/sys') {
        my ($flags, $path) = split /:/;
        my $none = 0;
        print "$path: ", (syscall(${mount}, $none, $path, $none, 0x20 | 0x1000, 0) == 0 ? 'done' : 'refused'), "\\n";
      }
      for ('/nix/store/file', '/etc/passwd', '/proc/sys/kernel/core_pattern', '/proc/sys/kernel/panic') {
        print "$_: ", (open(F, '>>', $_) ? 'done' : 'refused'), "\\n";
      }`;
    const paths = ['/nix/store/file', '/', '/proc/sys', '/nix/store/file', '/etc/passwd'];
    const settings = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/panic'];
    same(
      await perl(trial, script, { inputs }),
      [...paths, ...settings].map((it) => `${it}: refused\n`).join(''),
      'the log',
    );
  },
  'processes outside cannot be reached': async (trial) => {
    const { ptrace } = numbers(trial);
    const script = `
      my @reached;
      for my $pid (2 .. 400) {
        next if -e "/proc/$pid";
        push @reached, "kill $pid" if kill 0, $pid;
        push @reached, "trace $pid" if syscall(${ptrace}, 16, $pid, 0, 0) == 0;
      }
      # Whoever started process 1 is not seen.
      open F, '<', '/proc/1/status'; my ($parent) = map { /^PPid:\\s*(\\d+)/ } <F>;
      print "parent $parent reached @reached\\n";`;
    same(await perl(trial, script), 'parent 0 reached \n', 'the log');
  },
  'a terminal cannot be used to type': async (trial) => {
    // TIOCSTI puts bytes into what a terminal's reader gets next.
    const script = `print ioctl(STDOUT, 0x5412, my $c = 'x') ? "done\\n" : "refused\\n";`;
    same(await perl(trial, script), 'refused\n', 'the log');
  },
};
