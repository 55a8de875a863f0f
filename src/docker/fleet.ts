/** Templates and instances of one scope on one engine, put together. */
import type { Backups } from '../instance/backups.js';
import type { Placement } from '../instance/placement.js';
import type { Release } from '../instance/release.js';
import type { InstanceSecrets } from '../instance/secrets.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Engine } from './engine/engine.js';
import { loadTemplates } from './files.js';
import { BACKUP_IMAGE, createBackups } from './instance/backups.js';
import { type EgressTrial, tryEgress } from './instance/egress.js';
import type { Ranges } from './instance/placement.js';
import { type DockerSettings, renderInstance } from './instance/rendering.js';
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
  /** Makes and reads backups. */
  backupImage?: string;
}

export interface Fleet {
  engine: Engine;
  runtime: EngineRuntime;
  templates: TemplateStore;
  secretsOf(instanceKey: string): InstanceSecrets;
  /** Tries what an instance could reach that it must not. */
  tryEgress(release: Pick<Release, 'postgresImage'>): Promise<EgressTrial>;
  backups: Backups;
}

/** How many places are looked at for one that is free. */
const MOST_PLACES = 20;

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const { engine, settings, capacity, secretsOf, dataDir, templateScope, backupImage = BACKUP_IMAGE } = options;
  const files = await loadTemplates();
  const templates = createTemplateStore(engine, files, templateScope);
  const runtime = createEngineRuntime({ engine, files, templates, settings, capacity, secretsOf, dataDir });
  async function freePlace(): Promise<Placement | null> {
    const isFree = await runtime.freePlaces();
    for (let slot = capacity - 1; slot >= Math.max(0, capacity - MOST_PLACES); slot--) {
      const place = runtime.placementAt(slot);
      if (await isFree(place)) return place;
    }
    return null;
  }
  const render = (spec: InstanceSpec) => renderInstance(files, settings, spec, secretsOf(spec.key));
  const { space } = runtime;
  const backups = createBackups({ engine, files, render, secretsOf, space, image: backupImage, scope: settings.scope });
  return {
    ...{ engine, runtime, templates, secretsOf, backups },
    tryEgress: (release) => tryEgress({ engine, scope: settings.scope, release, freePlace }),
  };
}
