# Runs a program at a pseudo-terminal, as its controlling terminal, and lets it be used from outside:
#
#     pseudo-terminal.py ROWS COLUMNS PROGRAM [ARGUMENT]…
#
# What the terminal shows is this program's output, in blocks: one byte `o`, the length in four bytes (big-endian), the bytes;
# and in the end `e` with the exit code as text, negative for a signal. Commands are lines of its input: `size ROWS COLUMNS`,
# `signal NUMBER` to the program, `key NUMBER` for a byte that is typed.
import fcntl, os, pty, select, signal, struct, sys, termios

rows, columns, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
master, slave = os.openpty()


def resize(height, width):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def tell(kind, block):
    os.write(1, kind + struct.pack(">I", len(block)) + block)


resize(rows, columns)
child = os.fork()
if child == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(slave, number)
    os.close(slave)
    os.execvp(program[0], program)
os.close(slave)

commands, watched = b"", [master, 0]
while master in watched:
    ready, _, _ = select.select(watched, [], [])
    if master in ready:
        try:
            block = os.read(master, 65536)
        except OSError:
            block = b""
        if block:
            tell(b"o", block)
        else:
            watched.remove(master)
    if 0 in ready:
        block = os.read(0, 4096)
        if not block:
            watched.remove(0)
        commands += block
        while b"\n" in commands:
            line, commands = commands.split(b"\n", 1)
            words = line.split()
            if words[0] == b"size":
                resize(int(words[1]), int(words[2]))
            elif words[0] == b"signal":
                os.kill(child, int(words[1]))
            elif words[0] == b"key":
                os.write(master, bytes([int(words[1])]))
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
tell(b"e", str(status).encode())
