/** What is known of a setting. The check, `--help`, the table of README.md and the compose file are made from it. */
import type { z } from 'zod';

export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Takes the text of the environment, or undefined where nothing was given. */
  schema: S;
  /** As it would be written in the environment. Null: the setting is required, or `without` says what happens. */
  default: string | null;
  /** What happens without it, in a word or two; null when it is required or has a default. */
  without: string | null;
  /** The unit of the number that is given. */
  unit: 's' | 'hours' | 'days' | null;
  /** One sentence for the admin, without its full stop. */
  doc: string;
}

type About = Pick<Setting, 'doc'> & Partial<Pick<Setting, 'unit'>>;

/** A setting that has a default: `schema` takes its text as it takes any other. */
export function setting<S extends z.ZodType>(schema: S, about: About & { default: string }): Setting<z.ZodPrefault<S>> {
  const { default: fallback, unit = null, doc } = about;
  return { schema: schema.prefault(fallback as z.input<S>), default: fallback, without: null, unit, doc };
}

/** A setting that must be given. The message of its schema says what would be right. */
export function required<S extends z.ZodType>(schema: S, about: About): Setting<S> {
  return { schema, default: null, without: null, unit: null, ...about };
}

/** A setting that is null when it is not given. */
export function optional<S extends z.ZodType>(schema: S, about: About & { without: string }) {
  const orNull: z.ZodPrefault<z.ZodNullable<S>> = schema.nullable().prefault(null as never);
  return { schema: orNull, default: null, unit: null, ...about } satisfies Setting;
}

export type Settings = Record<string, Setting>;
type ShapeOf<T extends Settings> = { [K in keyof T]: T[K]['schema'] };

/** Settings that belong together. */
export interface Section<T extends Settings = Settings, Part = unknown> {
  title: string;
  settings: T;
  shape: ShapeOf<T>;
  /** The part of the configuration that is made of their values. */
  part(values: { [K in keyof T]: z.output<T[K]['schema']> }): Part;
}

export function section<T extends Settings, Part>(
  title: string,
  settings: T,
  part: Section<T, Part>['part'],
): Section<T, Part> {
  const shape = Object.fromEntries(Object.entries(settings).map(([name, { schema }]) => [name, schema])) as ShapeOf<T>;
  return { title, settings, shape, part };
}
