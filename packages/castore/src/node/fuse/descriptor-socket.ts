/**
 * A pair of connected sockets, and the file descriptor that another process sends through them (`SCM_RIGHTS`). Node has
 * neither, so the C library is called. Layouts are those of 64-bit Linux:
 *
 *     msghdr    name u64, name length u32 (8), iov u64, iov count u64, control u64, control length u64, flags u32 (8)
 *     iovec     base u64, length u64
 *     cmsghdr   length u64, level i32, type i32, then the descriptor i32
 */
import { CastoreError } from '../../castore-error.ts';

const domainUnix = 1;
const typeStream = 1;
const closeOnExec = 0o2_000_000;
const receiveCloseOnExec = 0x4000_0000;
const receiveWithoutWaiting = 0x40;
const levelSocket = 1;
const typeRights = 1;

type SocketCalls = {
  readonly socketpair: (pair: Int32Array) => number;
  readonly recvmsg: (socket: number, header: Uint8Array, flags: number) => number;
  readonly address: (bytes: Uint8Array) => bigint;
};

let calls: Promise<SocketCalls> | undefined;

function socketCalls(): Promise<SocketCalls> {
  calls ??= load();
  return calls;
}

async function load(): Promise<SocketCalls> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const socketpair = library.func('int socketpair(int domain, int type, int protocol, _Out_ int *pair)');
  const recvmsg = library.func('long recvmsg(int socket, void *header, int flags)');
  return {
    socketpair: (pair) => Number(socketpair(domainUnix, typeStream | closeOnExec, 0, pair)),
    recvmsg: (...args) => Number(recvmsg(...args)),
    address: (bytes) => koffi.address(bytes),
  };
}

/** Two connected sockets, which the caller closes. Throws `CastoreError` (`io`). */
export async function openSocketPair(): Promise<readonly [number, number]> {
  const pair = new Int32Array(2);
  const result = (await socketCalls()).socketpair(pair);
  const [first, second] = pair;
  if (result !== 0 || first === undefined || second === undefined) {
    throw new CastoreError('io', 'no pair of sockets could be opened to receive a file descriptor');
  }
  return [first, second];
}

/** Where things are in the memory that is given to `recvmsg`. */
const place = { header: 0, vector: 56, data: 72, control: 88, end: 152 } as const;

/** The descriptor that was sent already, closed on exec. Throws `CastoreError` (`io`) when there is none. */
export async function receiveDescriptor(socket: number): Promise<number> {
  const { address, recvmsg } = await socketCalls();
  // Memory of its own, which does not move, unlike that of a small array.
  const memory = new ArrayBuffer(place.end);
  const view = new DataView(memory);
  const start = address(new Uint8Array(memory));
  view.setBigUint64(place.header + 16, start + BigInt(place.vector), true);
  view.setBigUint64(place.header + 24, 1n, true);
  view.setBigUint64(place.header + 32, start + BigInt(place.control), true);
  view.setBigUint64(place.header + 40, BigInt(place.end - place.control), true);
  view.setBigUint64(place.vector, start + BigInt(place.data), true);
  view.setBigUint64(place.vector + 8, BigInt(place.control - place.data), true);
  const received = recvmsg(socket, new Uint8Array(memory), receiveCloseOnExec | receiveWithoutWaiting);
  const isRights =
    view.getInt32(place.control + 8, true) === levelSocket &&
    view.getInt32(place.control + 12, true) === typeRights;
  if (received < 0 || !isRights || view.getBigUint64(place.control, true) < 20n) {
    throw new CastoreError('io', 'the program that mounts did not hand over the opened /dev/fuse');
  }
  return view.getInt32(place.control + 16, true);
}
