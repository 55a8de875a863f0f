/** What volumes can be filled from: a kind of source that cannot be opened does not compile. */
import type { Progress, Source } from '../../instance/ports.js';
import type { InstanceSpec } from '../../instance/spec.js';
import type { TemplateStore } from '../template/store.js';

/** Volumes to copy from, mounted read-only. */
export interface SourceVolumes {
  pgdataVolume: string;
  filestoreVolume: string;
}

/** A source for one instance. */
export interface OpenSource {
  /** The volumes if they are there. */
  find(): Promise<SourceVolumes | null>;
  /** The volumes, made first if need be. */
  make(progress?: Progress): Promise<SourceVolumes>;
  /** Forgets volumes that turned out to be empty. */
  discard(volumes: SourceVolumes): Promise<void>;
}

type Openers = {
  readonly [Kind in Source['kind']]: (source: Extract<Source, { kind: Kind }>, spec: InstanceSpec) => OpenSource;
};

export type OpenSources = (source: Source, spec: InstanceSpec) => OpenSource;

export function sourceOpener(templates: TemplateStore, languages: string[]): OpenSources {
  const openers: Openers = {
    template({ modules }, { release }) {
      const wanted = { release, modules, languages };
      return {
        find: () => templates.find(wanted),
        make: (progress) => templates.ensure(wanted, progress),
        discard: async (volumes) => {
          const empty = (await templates.list()).find(({ pgdataVolume }) => pgdataVolume === volumes.pgdataVolume);
          if (empty) await templates.discard(empty);
        },
      };
    },
  };
  return (source, spec) => openers[source.kind](source, spec);
}
