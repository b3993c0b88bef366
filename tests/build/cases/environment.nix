# What a builder sees of the world: variables, users, devices, file systems.
{ tools, run, runStructured, system, ... }:
{
  variables = run "variables" "env -0 | sort -z | tr '\\0' '\\n' > $out" {
    empty = "";
    lines = "one\ntwo\n\ttab\n";
    yes = true;
    no = false;
    nothing = null;
    number = 9007199254740993;
    fraction = 0.1;
    list = [ 1 "two" [ 3 tools ] ];
    unicode = "žluťoučký";
    "with-dash" = "x";
    "with.dot" = "y";
    equals = "a=b=c";
  };

  variablesOverridden = run "variables-overridden" "PATH=${tools}/bin; env -0 | sort -z | tr '\\0' '\\n' > $out" {
    PATH = "/mine";
    HOME = "/mine";
    TMPDIR = "/mine";
    NIX_BUILD_TOP = "/mine";
    NIX_STORE = "/mine";
    NIX_BUILD_CORES = "77";
    NIX_LOG_FD = "9";
    TERM = "mine";
    PWD = "/mine";
    NIX_OUTPUT_CHECKED = "mine";
  };

  variablesStructured = runStructured "variables-structured" ''
    env -0 | sort -z | tr '\0' '\n' > $out
  '' { variable = "not in the environment"; };

  placeholders = run "placeholders" "env -0 | sort -z | tr '\\0' '\\n' > $out; echo ${placeholder "dev"} > $dev" {
    outputs = [ "out" "dev" ];
    own = "prefix ${placeholder "out"} ${placeholder "dev"} ${placeholder "none"}";
  };

  identity = run "identity" ''
    exec > $out
    id
    umask
    pwd
    hostname
    cat /proc/sys/kernel/domainname
    uname -s -m
    ulimit -c
    cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '
    cat /proc/self/setgroups
    grep -E '^(Groups|NoNewPrivs|Seccomp|SigBlk|SigIgn|CapInh|CapAmb):' /proc/self/status
  '' { };

  arguments = run "arguments" "tr '\\0' '|' < /proc/$$/cmdline > $out" { };

  programName = derivation {
    name = "program-name";
    inherit system;
    builder = "/bin/sh";
    args = [ "-c" "while IFS= read -r -d '' it; do echo \"<$it>\" >> $out; done < /proc/$$/cmdline" "zero" "" "two words" ];
  };

  standardStreams = run "standard-streams" ''
    for i in 0 1 2; do [ -t $i ] && echo "$i is a terminal" >> $out || echo "$i is none" >> $out; done
    readlink /proc/$$/fd/0 >> $out
    cat >> $out
    for i in 1 2; do readlink /proc/$$/fd/$i | sed 's/[0-9][0-9]*/N/' >> $out; done
  '' { };

  etcFiles = run "etc-files" ''
    exec > $out
    for file in passwd group hosts; do echo "== $file"; cat /etc/$file; done
    for file in /etc /etc/*; do stat -c '%n %F' $file; done
  '' { };

  devices = run "devices" ''
    exec > $out
    ls -1 /dev | grep -v '^core$'
    for name in full null random tty urandom zero; do stat -c '%n %F %a %t %T' /dev/$name; done
    for name in fd stdin stdout stderr; do readlink /dev/$name; done
    readlink -f /dev/ptmx
    ls -1 /dev/shm
    echo x > /dev/shm/file; cat /dev/shm/file
    echo lost > /dev/null
    head -c 4 /dev/zero | od -An -tx1
  '' { };

  folders = run "folders" ''
    exec > $out
    ls -1 /
    ls -1A /build /tmp
    for it in / /build /tmp /nix /dev /dev/shm /proc; do stat -c '%n %F' $it; done
    stat -c '%n %a' /tmp /dev/shm
    touch /tmp/mine /build/mine && echo made
    for it in /etc /proc ${tools} ${tools}/bin; do
      (touch $it/mine) 2> /dev/null && echo "$it can be written to" || echo "$it cannot be written to"
    done
  '' { };

  inputsOnly = run "inputs-only" "ls -1 /nix/store > list; sed 's/^[^-]*-//' list | sort > $out" {
    input = run "an-input" "echo ${tools} > $out" { };
  };

  mounts = run "mounts" ''
    exec > $out
    mount_of() { awk -v at="$1" '$5 == at { split($6, o, ","); print at, o[1], $(NF - 2) }' /proc/self/mountinfo | tail -n 1; }
    mount_of /proc
    mount_of /dev/shm
    mount_of /dev/pts
  '' { };

  networkNone = run "network-none" ''
    sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' ' > $out
    ifconfig lo | grep -E 'inet addr|UP' >> $out
    nslookup localhost 2>&1 | head -c 0 >> $out
  '' { };

  processes = run "processes" "set -- /proc/[0-9]*; echo $# > $out; echo $$ >> $out; echo $PPID >> $out" { };

  binSh = derivation {
    name = "bin-sh";
    inherit system;
    builder = "/bin/sh";
    args = [ "-c" "echo $0 $1 > $out" "zero" "one" ];
  };

  relativeBuilder = run "outer" "echo $0 > $out" { args = [ "-e" "-c" "echo $PWD/$0 > $out" "name" ]; };
}
