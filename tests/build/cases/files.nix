# Kinds of files, and what becomes of their names, modes and times.
{ tools, run, ... }:
{
  file = run "file" "echo contents > $out" { };
  emptyFile = run "empty-file" ": > $out" { };
  executable = run "executable" "echo contents > $out; chmod 700 $out" { };
  link = run "link" "ln -s /nowhere/at/all $out" { };
  emptyFolder = run "empty-folder" "mkdir $out" { };

  tree = run "tree" ''
    mkdir -p $out/a/b/c $out/empty/nested
    echo 1 > $out/a/one; echo 2 > $out/a/b/two
    ln -s ../a/one $out/a/b/link; ln -s missing $out/dangling; ln -s . $out/a/self
  '' { };

  modes = run "modes" ''
    mkdir $out; cd $out
    for mode in 000 001 010 100 111 400 444 555 600 644 700 755 777 1777; do echo $mode > m$mode; chmod $mode m$mode; done
    mkdir locked open; echo x > locked/x; chmod 111 locked; chmod 777 open
    touch -d '2001-02-03 04:05:06' m644; touch -h -d '2001-02-03 04:05:06' locked || true
  '' { };

  hardLinks = run "hard-links" ''
    mkdir -p $out/sub; echo shared > $out/a; ln $out/a $out/b; ln $out/a $out/sub/c
    [ $(stat -c %h $out/a) = 3 ]
  '' { };

  names = run "names" ''
    mkdir $out; cd $out
    touch 'a b' -- '-dash' '.hidden' '~tilde' 'Case' 'case' 'quote"s' "apostrophe's" 'back\slash' '*' '?' 'žluť' '日本'
    touch "$(printf 'new\nline')" "$(printf 'bytes\377\376')" "$(printf '\001control')" '..three' '...'
    mkdir 'folder with blanks'; ln -s "$(printf 'target\377')" odd-link
    long=$(printf '%0255d' 0); touch $long
  '' { };

  many = run "many" "mkdir $out; cd $out; for i in $(seq 1200); do echo $i > f$i; done" { };
  deep = run "deep" "mkdir $out; cd $out; for i in $(seq 60); do mkdir d; cd d; done; echo end > end" { };
  big = run "big" "yes 'a line that repeats for a long time' | head -c 33554432 > $out" { };
  sparse = run "sparse" "dd if=/dev/zero of=$out bs=1 count=1 seek=20000000; echo end >> $out" { };
  inBuildFolder = run "in-build-folder" "mkdir -p work; echo x > work/x; cp -r work $out; rm -rf work" { };
  moved = run "moved" "echo x > x; mv x $out" { };
  copiedInput = run "copied-input" "mkdir $out; cp -a ${tools}/bin $out/" { };
  leftProcess = run "left-process" "sleep 1000 & echo done > $out" { };
  binaryLog = run "binary-log" "printf '\\000\\377' ; echo done > $out" { };
}
