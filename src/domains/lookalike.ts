/** Names that are read as another name. A small part of Unicode's table of confusables: what is read as Latin. Pure. */

/** Each letter, and what it is read as. */
const READ_AS: Record<string, string> = Object.fromEntries(
  [
    // Cyrillic.
    'аa вb еe кk мm нh оo рp сc тt уy хx ѕs іl јj һh ԁd ԛq ԝw ӏl гr пn ьb',
    // Greek.
    'αa βb γy εe ηn ιl κk νv οo ρp σo τt υu χx ωw',
    // Latin letters and digits that are read as others.
    'ıl il 1l |l 0o ɑa ɡg ƅb ɩl ⅼl øo łl đd ŀl ſf',
  ]
    .join(' ')
    .split(' ')
    .map((pair) => [...pair] as [string, string]),
);

/** What an eye makes of a name: two that have the same are taken for each other. */
export function skeletonOf(shown: string): string {
  const letters = shown
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  return [...letters]
    .map((letter) => READ_AS[letter] ?? letter)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd');
}

/** Letters of several scripts in one label: nobody writes so who wants to be read. */
export function isMixed(label: string): boolean {
  const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u];
  return scripts.filter((script) => script.test(label)).length > 1;
}
