/** What the engine's answers mean to the queue: try again, or a person must act. Pure. */
import { BridgeError, messageOf, PlaceTakenError, RetryableError, TerminalError } from '../../lib/errors.js';

/** The object is not there. Removing treats it as done; everything else plans again. */
export class NotFoundError extends RetryableError {}

/** The name is in use, or the object is busy. */
export class ConflictError extends RetryableError {}

/** What docker-modem puts on its errors. */
interface EngineFault {
  statusCode?: number;
  code?: string;
  name?: string;
}

/**
 * The typed error for anything thrown by a call to the engine. `what` names the call for the log, e.g.
 * `create container acme_db`.
 */
export function engineError(what: string, error: unknown): BridgeError {
  // What was thrown before the engine was asked is known already.
  if (error instanceof BridgeError) return error;
  const fault = (typeof error === 'object' && error !== null ? error : {}) as EngineFault;
  const text = messageOf(error).replace(/^\(HTTP code \d+\) /, '');
  const message = `${what}: ${text}`;
  const cause = { cause: error };
  if (fault.statusCode === undefined) return unreachable(message, fault, cause);
  // One of a network, which a task has for a moment; what has to do with a port says so.
  if (/address already in use/i.test(text) && !/port|bind|listen/i.test(text)) {
    const advice = 'Nothing to do: it is tried again.';
    return new RetryableError('docker.address_in_use', message, advice, cause);
  }
  if (/port is already allocated|address already in use|failed to bind host port/i.test(text)) {
    const advice = 'Another program uses the port: the instance takes the next free slot.';
    return new PlaceTakenError('docker.port_taken', message, advice, cause);
  }
  if (/pool overlaps|address space|overlaps with/i.test(text)) {
    const advice = 'Another network uses the subnet: set SAAS_SUBNET_POOL to a range that is free on this machine.';
    return new PlaceTakenError('docker.subnet_taken', message, advice, cause);
  }
  if (/no space left on device|disk quota exceeded/i.test(text)) {
    return new RetryableError('docker.no_space', message, 'Free disk space on the Docker host.', cause);
  }
  if (/memory.*device or resource busy/is.test(text)) {
    const advice = 'The container uses more memory than it is to have: restart the instance from its record.';
    return new RetryableError('docker.memory_in_use', message, advice, cause);
  }
  if (fault.statusCode === 404 && /no such image|manifest unknown|pull access denied/i.test(text)) {
    return new TerminalError('docker.image_missing', message, 'Pull or build the image on the Docker host.', cause);
  }
  if (fault.statusCode === 404) {
    return new NotFoundError('docker.not_found', message, 'Nothing to do: it is looked at again.', cause);
  }
  if (fault.statusCode === 409) {
    return new ConflictError('docker.conflict', message, 'Nothing to do: it is tried again.', cause);
  }
  if (fault.statusCode === 400 || fault.statusCode === 403) {
    const advice = 'The engine refuses the request: compare its version and policy with the message.';
    return new TerminalError('docker.refused', message, advice, cause);
  }
  return new RetryableError('docker.failed', message, 'Look at the log of the Docker engine.', cause);
}

function unreachable(message: string, fault: EngineFault, cause: { cause: unknown }): BridgeError {
  if (fault.name === 'TimeoutError' || fault.name === 'AbortError' || fault.code === 'ABORT_ERR') {
    const advice = 'The Docker engine is overloaded or hangs: look at its log.';
    return new RetryableError('docker.timeout', `${message} (no answer in time)`, advice, cause);
  }
  if (fault.code === 'EACCES') {
    const advice = 'Give the daemon the group that owns the Docker socket.';
    return new RetryableError('docker.unreachable', message, advice, cause);
  }
  return new RetryableError('docker.unreachable', message, 'Start the Docker engine, or check its address.', cause);
}
