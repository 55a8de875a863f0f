/** Templates and instances of one scope on one engine, put together. */
import type { InstanceSecrets } from '../instance/secrets.js';
import type { Engine } from './engine/engine.js';
import { loadTemplates } from './files.js';
import type { Ranges } from './instance/placement.js';
import type { DockerSettings } from './instance/rendering.js';
import { createEngineRuntime, type EngineRuntime } from './instance/runtime.js';
import { createTemplateStore, type TemplateStore } from './template/store.js';

export interface FleetOptions {
  engine: Engine;
  settings: DockerSettings & Ranges;
  /** How many instances the ranges have room for. */
  capacity: number;
  secretsOf(instanceKey: string): InstanceSecrets;
  /** Holds `instances/<name>/`. */
  dataDir: string;
  /** Scope of the templates: daemons may share them, for they hold nothing of a customer's. */
  templateScope: string;
}

export interface Fleet {
  engine: Engine;
  runtime: EngineRuntime;
  templates: TemplateStore;
  secretsOf(instanceKey: string): InstanceSecrets;
}

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const { engine, settings, capacity, secretsOf, dataDir, templateScope } = options;
  const files = await loadTemplates();
  const templates = createTemplateStore(engine, files, templateScope);
  const runtime = createEngineRuntime({ engine, files, templates, settings, capacity, secretsOf, dataDir });
  return { engine, runtime, templates, secretsOf };
}
