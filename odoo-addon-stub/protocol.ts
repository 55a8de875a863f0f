/** Writes the protocol as a JSON Schema into the addon: `npm run protocol`. */
import { writeFileSync } from 'node:fs';
import { protocolSchema } from '../src/protocol/schema.js';

const file = new URL('saas_bridge/protocol.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(protocolSchema(), null, 2)}\n`);
