/** Has the edge get the certificate of a host, by being its first visitor. */
import { connect } from 'node:tls';

const LONGEST_MS = 45_000;

/** @param edge where the edge listens for https. */
export function certificatesAt(edge: { address: string; port: number }) {
  return (host: string, signal: AbortSignal) => awaitCertificate(edge, host, signal);
}

/** Resolves when the edge shows a certificate for the host; rejects with the reason when it does not. */
function awaitCertificate(edge: { address: string; port: number }, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Whether a browser trusts its authority is the edge's affair; whose it is is looked at here.
    signal.throwIfAborted();
    const socket = connect({ host: edge.address, port: edge.port, servername: host, rejectUnauthorized: false });
    const timer = setTimeout(() => socket.destroy(new Error('the edge did not answer in time')), LONGEST_MS);
    const stop = () => void socket.destroy(new Error('the daemon stops'));
    signal.addEventListener('abort', stop, { once: true });
    socket.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    });
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown?.checkHost(host) === undefined)
        reject(new Error(`the edge shows a certificate that is not for ${host}`));
      else resolve();
    });
    socket.once('error', reject);
  });
}
