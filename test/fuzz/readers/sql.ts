/** Statements as PostgreSQL's lexer takes them apart (its manual, 4.1), with standard_conforming_strings on. */

export interface Token {
  kind: 'string' | 'identifier' | 'word' | 'other';
  text: string;
}

/** Throws SyntaxError where a string, an identifier or a comment has no end. */
export function readSql(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  /** @param pattern a sticky one. */
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(sql);
    if (match) at += match[0].length;
    return match?.[0] ?? null;
  };
  const end = (what: string): never => {
    throw new SyntaxError(`${what} without an end`);
  };
  while (at < sql.length) {
    if (take(/\s+|--[^\r\n]*/y)) continue;
    if (sql.startsWith('/*', at)) {
      comment();
      continue;
    }
    const string = take(/(?:[eE]'(?:[^'\\]|\\[\s\S]|'')*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')/y);
    if (string) {
      tokens.push({ kind: 'string', text: string });
      continue;
    }
    if (sql[at] === "'") end('a string');
    const dollar = take(/\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y);
    if (dollar) {
      const stop = sql.indexOf(dollar, at);
      if (stop < 0) end('a dollar-quoted string');
      // A body of PL/pgSQL is taken apart in its turn.
      tokens.push({ kind: 'other', text: dollar }, ...readSql(sql.slice(at, stop)), { kind: 'other', text: dollar });
      at = stop + dollar.length;
      continue;
    }
    const identifier = take(/(?:[uU]&)?"(?:[^"]|"")*"/y);
    if (identifier) {
      tokens.push({ kind: 'identifier', text: identifier });
      continue;
    }
    if (sql[at] === '"') end('an identifier');
    const word = take(/[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y);
    if (word) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'other', text: take(/\d+(?:\.\d+)?|[\s\S]/y) ?? '' });
  }
  return tokens;

  function comment(): void {
    let depth = 0;
    do {
      if (take(/\/\*/y)) depth++;
      else if (take(/\*\//y)) depth--;
      else if (!take(/[\s\S]/y)) end('a comment');
    } while (depth > 0);
  }
}
