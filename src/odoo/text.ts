/** Text that people typed, made safe to pass on; and faults put into words. */
import type { z } from 'zod';

// XML 1.0 section 2.2 (Char): what may not occur in a document, not even escaped. Lone surrogates are not characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: naming them is the purpose
const XML_FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
// Controls, line and paragraph separators, and the marks that turn the direction of the text around them.
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** Without the characters that XML 1.0 cannot carry. */
export function stripXmlForbidden(text: string): string {
  return text.replace(XML_FORBIDDEN, '');
}

/** Without control characters and line breaks; other white space stays as it is. */
export function stripControls(text: string): string {
  return text.replace(CONTROLS, '');
}

/** On one line, without control characters, and at most `max` characters as a person counts them. */
export function oneLine(text: string, max = 200): string {
  // Cut first: dividing a hostile megabyte into characters is slow.
  const line = text
    .slice(0, max * 20)
    .replace(CONTROLS, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  if (line.length <= max) return line;
  const characters = [...new Intl.Segmenter().segment(line)];
  if (characters.length <= max) return line;
  return `${characters
    .slice(0, max - 1)
    .map(({ segment }) => segment)
    .join('')
    .trimEnd()}…`;
}

/** One line of a text from outside, short enough for a log. */
export function excerpt(text: string, max = 200): string {
  return text.replace(CONTROLS, ' ').replace(/\s+/gu, ' ').trim().slice(0, max);
}

/** The first faults of a value, each with its place: `period_count: expected number`. */
export function problemOf(error: z.ZodError): string {
  const shown = error.issues.slice(0, 3).map((issue) => {
    const place = issue.path.join('.');
    return place ? `${place}: ${issue.message}` : issue.message;
  });
  return shown.join('; ');
}
