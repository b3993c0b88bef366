/** Clients that come while a server is still getting ready: they wait, and are not lost. */
import type { Server, Socket } from 'node:net';

/** Hands the connections over, and those that come from then on, to whoever listens. */
export type ReleaseConnections = () => void;

export function holdConnections(listener: Server): ReleaseConnections {
  const held: Socket[] = [];
  const hold = (socket: Socket): void => void held.push(socket);
  listener.on('connection', hold);
  return () => {
    listener.off('connection', hold);
    for (const socket of held) listener.emit('connection', socket);
  };
}
